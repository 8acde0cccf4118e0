"""SCHED_FLAG_SUGOV is for threads of the kernel: refused last, after who may is checked."""

import os

from workloads.guest import sched_setattr

SUGOV = 1 << 28
RESET, KEEP_POLICY, KEEP_PARAMS, CLAMP = 1, 8, 16, 32
MS = 1000000
CASES = (
    (0, 0, 0),
    (0, 0, MS),
    (1, 1, 0),
    (1, 0, 0),
    (3, 0, 0),
    (5, 0, 0),
    (6, 0, MS),
    (6, 0, 0),
    (6, 1, MS),
    (99, 0, 0),
)


def answers(flags, pid=0):
    found = []
    for policy, priority, runtime in CASES:
        try:
            sched_setattr(
                pid,
                policy,
                priority=priority,
                runtime_ns=runtime,
                deadline_ns=9 * runtime,
                period_ns=9 * runtime,
                flags=flags,
            )
            found.append(0)
        except OSError as error:
            found.append(error.errno)
    return found


def show(who, pid=0):
    for flags in (0, RESET, KEEP_POLICY, KEEP_PARAMS, KEEP_POLICY | KEEP_PARAMS):
        print(who, flags, answers(SUGOV | flags, pid))
    print(who, "another", answers(1 << 29, pid), answers(SUGOV | 1 << 27, pid))


show("root")
pid = os.fork()
if pid == 0:
    os.setresuid(62003, 62003, 62003)
    show("user")
    show("user, of root's", os.getppid())
    show("user, of nobody", 4000000)
    os._exit(0)
os.waitpid(pid, 0)
print(os.sched_getscheduler(0))
