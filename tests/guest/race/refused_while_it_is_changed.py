"""A task that may not use all CPUs asks for a deadline policy while others set its nice value."""

import os

from workloads import guest

SCHED_DEADLINE = 6
parent = os.getpid()
cpus = os.sched_getaffinity(0)
os.sched_setaffinity(0, {min(cpus)})
pid = os.fork()
if pid == 0:
    for nice in (1, 2):
        os.setpriority(os.PRIO_PROCESS, parent, nice)
    os._exit(0)
for _ in range(2):
    try:
        guest.sched_setattr(
            0,
            SCHED_DEADLINE,
            runtime_ns=10_000_000,
            deadline_ns=100_000_000,
            period_ns=100_000_000,
        )
    except PermissionError:
        pass
status = os.waitpid(pid, 0)[1]
print(status, os.getpriority(os.PRIO_PROCESS, 0) == 2)
