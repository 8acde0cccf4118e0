"""exec keeps limits, nice, policy, affinity, parent death signal and no_new_privs; names change."""

import os
import resource
import signal
import sys

from workloads import guest

WATCHED = (resource.RLIMIT_NOFILE, resource.RLIMIT_STACK)


def state():
    limits = []
    for number in WATCHED:
        limits.append(resource.getrlimit(number))
    mine = (os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0))
    death = guest.prctl(guest.PR_GET_PDEATHSIG), guest.prctl(guest.PR_GET_NO_NEW_PRIVS)
    return repr((limits, mine, death, sorted(os.sched_getaffinity(0))))


if len(sys.argv) > 1:
    print("same", state() == sys.argv[1])
    print(guest.prctl(guest.PR_GET_NAME) != "before", guest.prctl(guest.PR_GET_DUMPABLE))
    sys.exit(0)
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, 8 << 20))
    os.nice(7)
    os.sched_setaffinity(0, [0])
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    guest.prctl(guest.PR_SET_PDEATHSIG, signal.SIGTERM)
    guest.prctl(guest.PR_SET_NO_NEW_PRIVS, 1)
    guest.prctl(guest.PR_SET_NAME, "before")
    os.execv(sys.executable, [sys.executable, "-u", __file__, state()])
print(os.waitpid(pid, 0)[1])
