"""Somebody says where a child is to run and how nice it is before its maker has woken it."""

import os
import signal

from workloads import guest

CHILD = 3


def place():
    for _ in range(12):
        try:
            os.sched_setaffinity(CHILD, {0})
            os.setpriority(os.PRIO_PROCESS, CHILD, 3)
        except ProcessLookupError:
            continue
        return


first = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
if first == 0:
    helper = os.fork()
    if helper == 0:
        place()
        os._exit(0)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os._exit(0 if child == CHILD and os.waitpid(child, 0)[1] + os.waitpid(helper, 0)[1] == 0 else 1)
print(os.waitpid(first, 0)[1])
