"""CPU times of sessions that fight for one CPU: ``sessions.py MILLISECONDS HOGS[:NICE]...``.

Each word is a session of that many processes, which are as nice as it says. Prints the time that
all processes of a session had, in ns; ``forbidden: WHY`` if this kernel has no groups of sessions.
"""

import os
import sys
import time

from workloads.guest import compute

SETTLE_NS = 300_000_000
BLOCK_NS = 200_000


def hog(nice, begin_ns, end_ns):
    """Return the CPU time in ns that this process gets between two times."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    while time.monotonic_ns() < begin_ns:
        compute(BLOCK_NS)
    begun_ns = time.process_time_ns()
    while time.monotonic_ns() < end_ns:
        compute(BLOCK_NS)
    return time.process_time_ns() - begun_ns


def session(hogs, nice, begin_ns, end_ns):
    """Return the time in ns of that many hogs in a session of their own."""
    os.setsid()
    readers = []
    for _ in range(hogs):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, str(hog(nice, begin_ns, end_ns)).encode())
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    total = 0
    for reader in readers:
        total += int(os.read(reader, 200))
        os.wait()
    return total


def main():
    try:
        with open("/proc/sys/kernel/sched_autogroup_enabled") as file:
            enabled = file.read().strip() == "1"
    except OSError:
        enabled = False
    if not enabled:
        print("forbidden: groups of sessions")
        return
    begin_ns = time.monotonic_ns() + SETTLE_NS
    end_ns = begin_ns + int(sys.argv[1]) * 1_000_000
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sessions = []
    for word in sys.argv[2:]:
        hogs, _, nice = word.partition(":")
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            total = session(int(hogs), int(nice or "0"), begin_ns, end_ns)
            os.write(writer, str(total).encode())
            os._exit(0)
        os.close(writer)
        sessions.append((pid, reader))
    for pid, reader in sessions:
        print(os.read(reader, 200).decode())
        os.waitpid(pid, 0)


main()
