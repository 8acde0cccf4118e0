"""Real-time tasks on one CPU: in which order they end, and whether two of one priority take turns.

``forbidden: WHY`` if the policy may not be had.
"""

import os
import sys

from workloads.guest import compute

POLICY = {"fifo": os.SCHED_FIFO, "rr": os.SCHED_RR}[sys.argv[1]]


def run(jobs):
    """Return what jobs of ``(name, priority, ns)`` write: name and ``<``, then ``>``."""
    reader, writer = os.pipe()
    pids = []
    for name, priority, work_ns in jobs:
        pid = os.fork()
        if pid == 0:
            os.sched_setscheduler(0, POLICY, os.sched_param(priority))
            os.sched_yield()
            os.write(writer, f"{name}< ".encode())
            compute(work_ns)
            os.write(writer, f"{name}> ".encode())
            os._exit(0)
        pids.append(pid)
    # all are there before the first begins: until now they had this task's priority
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.close(writer)
    found = b""
    while part := os.read(reader, 100):
        found += part
    for pid in pids:
        os.waitpid(pid, 0)
    os.close(reader)
    os.sched_setscheduler(0, POLICY, os.sched_param(50))
    return found.decode()


os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
try:
    os.sched_setscheduler(0, POLICY, os.sched_param(50))
except OSError as error:
    print(f"forbidden: {sys.argv[1]}: {error.strerror}")
    sys.exit()
print(os.sched_rr_get_interval(0))
print(run([("low", 10, 2_000_000), ("high", 30, 2_000_000), ("middle", 20, 2_000_000)]))
print(run([("one", 10, 150_000_000), ("two", 10, 150_000_000)]))
