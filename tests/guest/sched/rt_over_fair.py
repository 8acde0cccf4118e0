"""While a real-time task runs on a CPU the fair tasks bound to it stand still."""

import os
import signal

from workloads.guest import compute


def counting(write_end):
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    while True:
        os.write(write_end, b"x")
        compute(2_000_000)


os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    counting(write_end)
os.read(read_end, 1)  # sleeps: the fair one gets its chance
os.set_blocking(read_end, False)
moved = 0
compute(5_000_000)
for _ in range(20):
    compute(10_000_000)
    try:
        moved += len(os.read(read_end, 100))
    except BlockingIOError:
        pass
print("it moved", moved)
os.kill(pid, signal.SIGKILL)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
