"""A kernel without utilisation clamps refuses them, after everything that is wrong for any call."""

import os

from workloads.guest import (
    SCHED_FLAG_KEEP_PARAMS,
    SCHED_FLAG_KEEP_POLICY,
    SCHED_FLAG_UTIL_CLAMP_MAX,
    SCHED_FLAG_UTIL_CLAMP_MIN,
    sched_getattr,
    sched_setattr,
)

SCHED_DEADLINE = 6
MS = 1000000
BOTH = SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX


def attempt(name, policy=0, pid=0, flags=BOTH, priority=0, times=(0, 0, 0), size=56):
    try:
        sched_setattr(
            pid,
            policy,
            nice=3,
            priority=priority,
            runtime_ns=times[0],
            deadline_ns=times[1],
            period_ns=times[2],
            flags=flags,
            size=size,
        )
        print(name, "done")
    except OSError as error:
        print(name, error.errno)
    print(sched_getattr(0)[:4], flush=True)


for flags in (SCHED_FLAG_UTIL_CLAMP_MIN, SCHED_FLAG_UTIL_CLAMP_MAX, BOTH):
    attempt("fair", flags=flags)
    attempt("fifo", policy=os.SCHED_FIFO, priority=5, flags=flags)
    attempt("deadline", policy=SCHED_DEADLINE, times=(MS, 10 * MS, 10 * MS), flags=flags)
    attempt("all is kept", flags=flags | SCHED_FLAG_KEEP_PARAMS | SCHED_FLAG_KEEP_POLICY)
attempt("short structure", size=48)
attempt("policy", policy=77)
attempt("priority", policy=os.SCHED_FIFO, priority=100)
attempt("priority of a fair one", priority=1)
attempt("times", policy=SCHED_DEADLINE)
attempt("nobody", pid=4000000)
attempt("negative", pid=-1)
attempt("other flags", flags=BOTH | 0x80)
pid = os.fork()
if pid == 0:
    os.setresuid(62050, 62050, 62050)
    attempt("user: fifo", policy=os.SCHED_FIFO, priority=5)
    attempt("user: nice", policy=os.SCHED_BATCH)
    attempt("user: root's", pid=os.getppid())
    os._exit(0)
os.waitpid(pid, 0)
