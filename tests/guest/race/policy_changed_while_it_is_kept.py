"""Parameters are set for the policy of the moment while others change that: both come about."""

import os

parent = os.getpid()
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        refused = 0
        for _ in range(3):
            try:
                if number < 2:
                    os.sched_setscheduler(parent, os.SCHED_IDLE, os.sched_param(0))
                    os.sched_setscheduler(parent, os.SCHED_BATCH, os.sched_param(0))
                else:
                    os.sched_setparam(parent, os.sched_param(0))
            except OSError:
                refused = 1
        os._exit(refused)
    children.append(pid)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses, os.sched_getscheduler(0) == os.SCHED_BATCH, os.sched_getparam(0).sched_priority)
