"""Tasks bound to one CPU take turns there; moved while running, queued or asleep they go on."""

import os
import signal

from workloads.guest import compute


def spin():
    while True:
        compute(1_000_000)


everything = sorted(os.sched_getaffinity(0))
last = everything[-1]
# all bound to the first CPU: every one of them gets on
pids = []
os.sched_setaffinity(0, {0})
for number in range(4):
    pid = os.fork()
    if pid == 0:
        compute(30_000_000)
        os._exit(number)
    pids.append(pid)
codes = []
for pid in pids:
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(codes)
# moved to and fro while they run and while they wait for the CPU
pids = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        compute(100_000_000)
        mask = sorted(os.sched_getaffinity(0))
        os._exit(0 if mask in ([0], [last], everything) else 1)
    pids.append(pid)
for turn in range(8):
    for pid in pids:
        os.sched_setaffinity(pid, {0} if turn % 2 else {last})
    compute(2_000_000)
for pid in pids:
    os.sched_setaffinity(pid, everything)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
# moved while asleep in a pipe
read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write_end)
    os.read(read_end, 1)
    compute(1_000_000)
    print("woken", os.sched_getaffinity(0) == {last})
    os._exit(0)
os.sched_setaffinity(pid, {last})
os.close(write_end)
os.waitpid(pid, 0)
# one that never enters the kernel
pid = os.fork()
if pid == 0:
    spin()
os.sched_setaffinity(0, everything)
os.sched_setaffinity(pid, {last})
compute(5_000_000)
os.sched_setaffinity(pid, {0})
compute(5_000_000)
os.kill(pid, signal.SIGKILL)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
# a zombie has a mask, and may be given another
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
os.sched_setaffinity(pid, {last})
print(os.sched_getaffinity(pid) == {last})
os.waitpid(pid, 0)
