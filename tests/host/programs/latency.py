"""How late a short sleeper runs beside spinners of one CPU: ``latency.py SPINNERS NAPS [alone]``.

``alone``: other sessions of the host get next to nothing of the CPU meanwhile (autogroup). Prints
what of the CPU these tasks had together while the sleeper napped, in per cent of the time that
passed, and then by how many ns each nap was longer than asked for, the shortest first.
"""

import os
import sys
import time

from workloads.guest import compute

SPINNERS = int(sys.argv[1])
NAPS = int(sys.argv[2])
ALONE = sys.argv[3:] == ["alone"]
NAP_NS = 3_300_000
WORK_NS = 50_000
BLOCK_NS = 100_000


def spinner(ends, answers):
    """Compute until there is something to read, twice; write the CPU time used up to then."""
    os.set_blocking(ends, False)
    for _ in range(2):
        told = b""
        while not told:
            compute(BLOCK_NS)
            try:
                told = os.read(ends, 1)
            except BlockingIOError:
                told = b""
        os.write(answers, f"{time.process_time_ns()}\n".encode())
    os._exit(0)


if ALONE:
    try:
        with open("/proc/self/autogroup", "w") as file:
            file.write("-20")
    except OSError as error:
        print(f"forbidden: the CPU for one session: {error.strerror}")
        sys.exit()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
answers, answer = os.pipe()
orders = []
for _ in range(SPINNERS):
    reader, writer = os.pipe()
    if os.fork() == 0:
        spinner(reader, answer)
    os.close(reader)
    orders.append(writer)


def used():
    """Return the CPU time that the spinners have used."""
    for writer in orders:
        os.write(writer, b"x")
    found = b""
    while found.count(b"\n") < SPINNERS:
        found += os.read(answers, 4096)
    return sum(int(line) for line in found.split())


time.sleep(0.2)
begun_ns = used() + time.process_time_ns()
since_ns = time.monotonic_ns()
late = []
for _ in range(NAPS):
    due_ns = time.monotonic_ns() + NAP_NS
    time.sleep(NAP_NS / 1e9)
    late.append(time.monotonic_ns() - due_ns)
    compute(WORK_NS)
busy_ns = used() + time.process_time_ns() - begun_ns
passed_ns = time.monotonic_ns() - since_ns
for _ in range(SPINNERS):
    os.wait()
print(100 * busy_ns // passed_ns)
for each in sorted(late):
    print(each)
