"""poll and select return with nothing when the time is up, not before; 0 does not wait."""

import os
import select
import time

r, w = os.pipe()
poll = select.poll()
poll.register(r, select.POLLIN)
for ms in (0, 1, 20, 15.5):
    start = time.monotonic_ns()
    events = poll.poll(ms)
    took = time.monotonic_ns() - start
    print(ms, events, took >= ms * 1000000, took < 1000000000)
for seconds in (0, 0.001, 0.02):
    start = time.monotonic_ns()
    ready = select.select([r], [], [], seconds)
    took = time.monotonic_ns() - start
    print(seconds, ready, took >= seconds * 1e9, took < 1000000000)
start = time.monotonic_ns()
print(select.select([], [], [], 0.01), time.monotonic_ns() - start >= 10000000)
print(poll.poll(-1) if os.write(w, b"x") == 0 else len(poll.poll(None)), len(poll.poll(-5)))
for bad in ("x", 1 << 40):
    try:
        poll.poll(bad)
    except (TypeError, OverflowError) as error:
        print(error)
for bad in (-1, "x"):
    try:
        select.select([], [], [], bad)
    except (ValueError, TypeError) as error:
        print(error)
