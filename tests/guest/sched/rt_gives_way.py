"""A real-time spinner leaves a fair one on its CPU 5 % of the time, in stretches of 50 ms."""

import os
import time

from workloads.guest import compute

MS = 1000000


def spin(end_ns):
    """Spin until then; return how long each stretch was that nobody cut off, in ns."""
    stretches = []
    start = last = time.monotonic_ns()
    while last < end_ns:
        compute(MS)
        now = time.monotonic_ns()
        if now - last > 20 * MS:
            stretches.append(last - start)
            start = now
        last = now
    stretches.append(last - start)
    return stretches


for name in ("sched_rt_runtime_us", "sched_rt_period_us"):
    with open("/proc/sys/kernel/" + name) as file:
        print(name, file.read().strip(), flush=True)
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
read_end, write_end = os.pipe()
begin = time.monotonic_ns() + 100 * MS
end = begin + 3200 * MS
if os.fork() == 0:
    middle = spin(end)[1:-1]
    os.write(write_end, b"%d %d" % (max(middle, default=0) // MS, sum(middle) // MS))
    os._exit(0)
if os.fork() == 0:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    time.sleep((begin - time.monotonic_ns()) / 1e9)
    stretches = spin(end)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    print("for about 950 ms", any(940 < ns // MS < 965 for ns in stretches), flush=True)
    os._exit(0)
os.wait()
os.wait()
longest, total = (int(word) for word in os.read(read_end, 100).split())
# the first time it may be less: what it had before counts
print("50 ms at once", 44 < longest < 62)
print("in every second", 90 < total < 190)
