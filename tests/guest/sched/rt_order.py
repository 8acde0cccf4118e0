"""On one CPU real-time tasks run by priority, equal ones in the order they came, fair ones last."""

import os


def start(name, policy, priority):
    """Fork a child that says its name, and give it its priority before it runs."""
    pid = os.fork()
    if pid == 0:
        os.write(1, name)
        os._exit(0)
    os.sched_setscheduler(pid, policy, os.sched_param(priority))
    return pid


os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(90))
pids = []
pids.append(start(b"fair, first of all\n", os.SCHED_OTHER, 0))
pids.append(start(b"10\n", os.SCHED_FIFO, 10))
pids.append(start(b"30\n", os.SCHED_FIFO, 30))
pids.append(start(b"20, round robin\n", os.SCHED_RR, 20))
pids.append(start(b"20, later\n", os.SCHED_FIFO, 20))
pids.append(start(b"20, last\n", os.SCHED_FIFO, 20))
pids.append(start(b"1\n", os.SCHED_RR, 1))
print("all are there, none has run")
for pid in pids:
    os.waitpid(pid, 0)
# raised while it waits: before all; lowered: behind
first = start(b"was 10, is 60\n", os.SCHED_FIFO, 10)
second = start(b"50\n", os.SCHED_FIFO, 50)
third = start(b"was 70, is 5\n", os.SCHED_FIFO, 70)
os.sched_setparam(first, os.sched_param(60))
os.sched_setparam(third, os.sched_param(5))
for pid in (first, second, third):
    os.waitpid(pid, 0)
