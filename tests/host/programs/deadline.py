"""A deadline task that never stops: ``deadline.py RUNTIME_MS PERIOD_MS PERIODS``.

Prints its CPU time in ns per period, and the distances in ns between the times at which it went on
after it had been stopped, the shortest first; ``forbidden: WHY`` if the policy may not be had.
"""

import sys
import time

from workloads import guest

RUNTIME_NS = int(sys.argv[1]) * 1_000_000
PERIOD_NS = int(sys.argv[2]) * 1_000_000
PERIODS = int(sys.argv[3])
BLOCK_NS = 50_000
PAUSE_NS = (PERIOD_NS - RUNTIME_NS) // 2

try:
    guest.sched_setattr(0, 6, runtime_ns=RUNTIME_NS, deadline_ns=PERIOD_NS, period_ns=PERIOD_NS)
except OSError as error:
    print(f"forbidden: deadline: {error.strerror}")
    sys.exit()

# the budget may have been used in part by now: begin where a new one does
last_ns = time.monotonic_ns()
now_ns = last_ns
while now_ns - last_ns < PAUSE_NS:
    last_ns = now_ns
    guest.compute(BLOCK_NS)
    now_ns = time.monotonic_ns()
begin_ns = last_ns = now_ns
begun_ns = time.process_time_ns()
used_ns = begun_ns
resumed = [begin_ns]
while now_ns < begin_ns + PERIODS * PERIOD_NS - PAUSE_NS:
    guest.compute(BLOCK_NS)
    now_ns = time.monotonic_ns()
    if now_ns - last_ns > PAUSE_NS:
        resumed.append(now_ns)
    else:
        used_ns = time.process_time_ns()
    last_ns = now_ns
print((used_ns - begun_ns) // PERIODS)
for distance in sorted([later - earlier for earlier, later in zip(resumed, resumed[1:])]):
    print(distance)
