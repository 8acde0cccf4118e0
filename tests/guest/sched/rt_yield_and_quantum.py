"""sched_yield lets equals run; without it FIFO runs to its end, RR gives way after its quantum."""

import os
import time

from workloads.guest import compute


def run(policy, steps, step_ns, yielding):
    """Run two equal tasks on one CPU; return how often the turn changed between them."""
    read_end, write_end = os.pipe()
    pids = []
    for name in (b"a", b"b"):
        pid = os.fork()
        if pid == 0:
            for _ in range(steps):
                compute(step_ns)
                os.write(write_end, name)
                if yielding:
                    os.sched_yield()
            os._exit(0)
        os.sched_setscheduler(pid, policy, os.sched_param(30))
        pids.append(pid)
    os.close(write_end)
    for pid in pids:
        os.waitpid(pid, 0)
    text = b""
    while len(text) < 2 * steps:
        text += os.read(read_end, 100)
    os.close(read_end)
    changes = 0
    for place in range(1, len(text)):
        changes += text[place] != text[place - 1]
    return changes


os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(40))
print("fifo", run(os.SCHED_FIFO, 15, 10_000_000, False))
print("fifo, yielding", run(os.SCHED_FIFO, 10, 1_000_000, True))
time.sleep(1)
print("round robin", 2 <= run(os.SCHED_RR, 18, 15_000_000, False) <= 8)
