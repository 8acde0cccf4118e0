"""Priority, policy and CPUs of a task are set by others and by itself: it has one of each."""

import os

parent = os.getpid()
cpus = os.sched_getaffinity(0)
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        os.setpriority(os.PRIO_PROCESS, parent, 1 + number)
        os.sched_setscheduler(parent, os.SCHED_BATCH, os.sched_param(0))
        os.sched_setaffinity(parent, cpus)
        nice = os.getpriority(os.PRIO_PROCESS, parent)
        os._exit(0 if 1 <= nice <= 5 else 1)
    children.append(pid)
os.setpriority(os.PRIO_PROCESS, 0, 5)
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
os.sched_setaffinity(0, cpus)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
nice = os.getpriority(os.PRIO_PROCESS, 0)
print(statuses, 1 <= nice <= 5, os.sched_getscheduler(0) == os.SCHED_BATCH)
