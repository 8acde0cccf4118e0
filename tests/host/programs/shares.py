"""CPU times of hogs that fight for one CPU: ``shares.py MILLISECONDS POLICY:NICE...``.

Each hog notes its own CPU time when it first sees that the time to begin has come, and when it
first sees that it is over. One that waits for its turn has not used any meanwhile, so both notes
are right to a block of work, whoever runs first. Prints the times in ns; ``forbidden: WHY`` if a
policy or nice value may not be had.
"""

import os
import sys
import time

from workloads.guest import compute

POLICIES = {"other": os.SCHED_OTHER, "batch": os.SCHED_BATCH, "idle": os.SCHED_IDLE}
SETTLE_NS = 300_000_000
BLOCK_NS = 200_000


def hog(policy, nice, begin_ns, end_ns):
    """Return the CPU time in ns that this process gets between two times."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    if policy != os.SCHED_OTHER:
        os.sched_setscheduler(0, policy, os.sched_param(0))
    while time.monotonic_ns() < begin_ns:
        compute(BLOCK_NS)
    begun_ns = time.process_time_ns()
    while time.monotonic_ns() < end_ns:
        compute(BLOCK_NS)
    return time.process_time_ns() - begun_ns


def main():
    begin_ns = time.monotonic_ns() + SETTLE_NS
    end_ns = begin_ns + int(sys.argv[1]) * 1_000_000
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    hogs = []
    for word in sys.argv[2:]:
        policy, nice = word.split(":")
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                answer = str(hog(POLICIES[policy], int(nice), begin_ns, end_ns))
            except OSError as error:
                answer = f"forbidden: {word}: {error.strerror}"
            os.write(writer, answer.encode())
            os._exit(0)
        os.close(writer)
        hogs.append((pid, reader))
    for pid, reader in hogs:
        print(os.read(reader, 200).decode())
        os.waitpid(pid, 0)


main()
