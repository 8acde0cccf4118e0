"""Tasks that wait for a user most of the time, beside tasks that never wait.

An answer is *late* if it takes more than LATE_NS from when the user was there. Writes ``done`` and
the number of answers, ``late`` and how many were late, ``batch`` and the milliseconds that the
batch tasks computed.
"""

import os
import time

from workloads import guest

USERS = 6
BATCH = 6
ANSWERS = 40
THINK_NS = 8_000_000
WORK_NS = 500_000
LATE_NS = 5_000_000
PIECE_NS = 1_000_000


def user(number, writer):
    late = 0
    at_ns = time.monotonic_ns() + number * 700_000
    for _ in range(ANSWERS):
        at_ns += THINK_NS
        wait_ns = at_ns - time.monotonic_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / 1e9)
        guest.compute(WORK_NS)
        if time.monotonic_ns() - at_ns > LATE_NS:
            late += 1
    os.write(writer, bytes([late]))


def batch(until_ns, writer):
    pieces = 0
    while time.monotonic_ns() < until_ns:
        guest.compute(PIECE_NS)
        pieces += 1
    os.write(writer, f"{pieces:06d}".encode())


lates, late_writer = os.pipe()
works, work_writer = os.pipe()
until_ns = time.monotonic_ns() + (ANSWERS + 1) * THINK_NS
for number in range(USERS):
    if os.fork() == 0:
        user(number, late_writer)
        os._exit(0)
for _ in range(BATCH):
    if os.fork() == 0:
        batch(until_ns, work_writer)
        os._exit(0)
for _ in range(USERS + BATCH):
    os.wait()
late = 0
for _ in range(USERS):
    late += os.read(lates, 1)[0]
pieces = 0
for _ in range(BATCH):
    pieces += int(os.read(works, 6))
print("done", USERS * ANSWERS)
print("late", late)
print("batch", pieces)
