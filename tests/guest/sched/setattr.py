"""sched_setattr sets policy, nice value or priority at once, or keeps the one or the other."""

import os

from workloads.guest import (
    SCHED_FLAG_KEEP_PARAMS,
    SCHED_FLAG_KEEP_POLICY,
    SCHED_FLAG_RESET_ON_FORK,
    sched_setattr,
)


def show(name):
    policy = os.sched_getscheduler(0)
    priority = os.sched_getparam(0).sched_priority
    print(name, hex(policy), priority, os.getpriority(os.PRIO_PROCESS, 0))


def attempt(name, pid, policy, nice, priority, flags):
    try:
        sched_setattr(pid, policy, nice=nice, priority=priority, flags=flags)
        show(name)
    except OSError as error:
        print(name, error.errno)


KEEP = SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS
attempt("nice", 0, os.SCHED_OTHER, 5, 0, 0)
attempt("nice too high", 0, os.SCHED_OTHER, 100, 0, 0)
attempt("nice too low", 0, os.SCHED_BATCH, -100, 0, 0)
attempt("priority", 0, os.SCHED_OTHER, 0, 1, 0)
attempt("fifo", 0, os.SCHED_FIFO, 7, 10, 0)
attempt("fifo without", 0, os.SCHED_FIFO, 0, 0, 0)
attempt("keep the policy", 0, os.SCHED_OTHER, 0, 20, SCHED_FLAG_KEEP_POLICY)
attempt("keep the parameters", 0, os.SCHED_RR, 0, 0, SCHED_FLAG_KEEP_PARAMS)
attempt("keep both", 0, os.SCHED_OTHER, 1, 1, KEEP)
attempt("keep both and reset", 0, os.SCHED_OTHER, 1, 1, KEEP | SCHED_FLAG_RESET_ON_FORK)
attempt("reset", 0, os.SCHED_RR, 0, 3, SCHED_FLAG_RESET_ON_FORK)
attempt("idle", 0, os.SCHED_IDLE, 4, 0, 0)
attempt("back", 0, os.SCHED_OTHER, 0, 0, 0)
for pid in (-1, 4000000):
    for policy in (-1, 0, 4, 77):
        attempt(f"{pid} {policy}", pid, policy, 0, 0, 0)
for policy in (-1, 4, 77):
    attempt(f"policy {policy}", 0, policy, 0, 0, 0)
for flags in (0x80, 1 << 40):
    attempt(f"flags {flags}", 0, 0, 0, 0, flags)
    attempt(f"flags {flags} of nobody", 4000000, 0, 0, 0, flags)
pid = os.fork()
if pid == 0:
    os.setresuid(62050, 62050, 62050)
    attempt("user: higher nice", 0, os.SCHED_OTHER, 3, 0, 0)
    attempt("user: lower nice", 0, os.SCHED_OTHER, 2, 0, 0)
    attempt("user: same nice, batch", 0, os.SCHED_BATCH, 3, 0, 0)
    attempt("user: fifo", 0, os.SCHED_FIFO, 3, 1, 0)
    attempt("user: root's", os.getppid(), os.SCHED_OTHER, 10, 0, 0)
    os._exit(0)
os.waitpid(pid, 0)
