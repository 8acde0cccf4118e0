"""There is only so much for deadline tasks, and each must be allowed on all CPUs."""

import os
import time

from workloads.guest import sched_getattr, sched_setattr

SCHED_DEADLINE = 6
MS = 1000000


def admitted(pid, runtime, period, deadline=0):
    try:
        sched_setattr(
            pid,
            SCHED_DEADLINE,
            runtime_ns=runtime,
            deadline_ns=deadline or period,
            period_ns=period,
        )
        return 0
    except OSError as error:
        return error.errno


def sleeper():
    pid = os.fork()
    if pid == 0:
        os.close(go_w)
        os.read(go_r, 1)
        os._exit(0)
    return pid


go_r, go_w = os.pipe()
cpus = os.cpu_count()
# Each wants a quarter of a CPU, all together 16. How many fit depends on who is there already,
# and on what Linux has not counted back: a sleeper's share, if it gets another policy.
pids = []
errors = []
for _ in range(64):
    pids.append(sleeper())
    errors.append(admitted(pids[-1], 25 * MS, 100 * MS))
print("admitted as long as there is room, and then EBUSY", errors == sorted(errors))
print(sorted(set(errors)))
print("less for one that has it", admitted(pids[0], 20 * MS, 100 * MS))
print("the same again", admitted(pids[0], 20 * MS, 100 * MS))
print("the same share in another period", admitted(pids[0], 10 * MS, 50 * MS))
print(sched_getattr(pids[0])[4:])
print("more than there is", admitted(pids[0], 90 * MS, 100 * MS))
print(sched_getattr(pids[0])[4:])
print("the first goes")
os.kill(pids[0], 9)
os.waitpid(pids[0], 0)
time.sleep(0.2)
print("room for the last", admitted(pids[-1], 10 * MS, 50 * MS))
os.close(go_w)
for pid in pids[1:]:
    os.waitpid(pid, 0)
time.sleep(0.2)
# the deadline does not count: the period does
print("a short deadline", admitted(0, 10 * MS, 100 * MS, 11 * MS))
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
time.sleep(0.2)

if cpus == 1:
    print("bound to some 1")
    print("narrower 16")
else:
    os.sched_setaffinity(0, range(cpus - 1))
    print("bound to some", admitted(0, MS, 10 * MS))
    os.sched_setaffinity(0, range(cpus))
    admitted(0, MS, 10 * MS)
    try:
        os.sched_setaffinity(0, range(cpus - 1))
    except OSError as error:
        print("narrower", error.errno)
