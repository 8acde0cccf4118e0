"""A real-time task that wakes takes the CPU from a lower one at once, from an equal one never."""

import os

from workloads.guest import compute


def start(priority, go_r, name, steps):
    """Fork a task that waits for its turn and then says what it does."""
    pid = os.fork()
    if pid == 0:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        os.read(go_r, 1)
        for step in range(steps):
            os.write(1, b"%s %d\n" % (name, step))
            compute(1_000_000)
        os._exit(0)
    return pid


os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
pipes = []
pids = []
for priority, name in ((10, b"low"), (20, b"equal"), (30, b"high")):
    read_end, write_end = os.pipe()
    pids.append(start(priority, read_end, name, 2))
    pipes.append(write_end)
# let them all come to their read
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
for place, name in ((0, "low"), (1, "equal"), (2, "high")):
    print("waking", name)
    os.write(pipes[place], b"g")
    print("woken", name)
print("waiting")
for pid in pids:
    os.waitpid(pid, 0)
print("done")
