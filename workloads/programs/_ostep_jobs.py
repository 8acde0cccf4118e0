"""scheduler.py and process-run.py of OSTEP's homework with real processes.

cluster.presets fills in TABLE. All jobs are there at once, on one CPU, in a class without slices
(SCHED_FIFO) or with them (SCHED_RR); that needs the right to use them. A step of a job is so much
CPU time, or so much sleep.

Parameters, as name=value arguments (defaults after the equals sign):

report=full     full: print times in units of the homework; plain: only in which order jobs ended
"""

import mmap
import os
import sys
import time

from workloads import guest

DEFAULTS = {"report": "full"}
KINDS = {"report": "one of full plain"}

TABLE = None

SLOT = 16
MEMORY = mmap.mmap(-1, 65536, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def get(place):
    low = guest.READ_ONCE(MEMORY, place) & 0xFFFFFFFF
    return (guest.READ_ONCE(MEMORY, place + 4) << 32) + low


def put(place, value):
    guest.WRITE_ONCE(MEMORY, place, value & 0xFFFFFFFF)
    guest.WRITE_ONCE(MEMORY, place + 4, value >> 32)


def job(number, unit_ns):
    put(SLOT * number, time.monotonic_ns())
    for kind, units in TABLE["jobs"][number]["steps"]:
        if kind == "cpu":
            guest.compute(int(units * unit_ns))
        else:
            time.sleep(units * unit_ns / 1000000000)
    put(SLOT * number + 8, time.monotonic_ns())
    os._exit(0)


def start(unit_ns):
    # the pids of all jobs, and when they may run; not before this process waits
    pids = []
    for number in range(len(TABLE["jobs"])):
        pid = os.fork()
        if pid == 0:
            job(number, unit_ns)
        pids.append(pid)
    return pids, time.monotonic_ns()


def times(count, zero, unit_ns):
    # of each job: when it ran first, when it ended, in units
    found = []
    for number in range(count):
        first = (get(SLOT * number) - zero) / unit_ns
        end = (get(SLOT * number + 8) - zero) / unit_ns
        found.append((first, end))
    return found


def tell_jobs(found):
    print("\nFinal statistics:")
    sums = [0.0, 0.0, 0.0]
    for number, (first, end) in enumerate(found):
        one = TABLE["jobs"][number]
        numbers = (max(first, 0.0), end, end - one["length"])
        sums = [before + value for before, value in zip(sums, numbers)]
        words = f"Response: {numbers[0]:3.2f}  Turnaround {numbers[1]:3.2f}  Wait {numbers[2]:3.2f}"
        print(f"  Job {one['name']:3} -- {words}")
    average = [value / len(found) for value in sums]
    words = f"Response: {average[0]:3.2f}  Turnaround {average[1]:3.2f}  Wait {average[2]:3.2f}"
    print(f"\n  Average -- {words}\n")


def tell_run(found):
    total = max(end for _, end in found)
    busy = sum(one["length"] for one in TABLE["jobs"])
    print(f"\nStats: Total Time {total:.1f}")
    print(f"Stats: CPU Busy {busy} ({100 * busy / total:.2f}%)\n")


def main():
    report = "report=plain" not in sys.argv[1:]
    for line in TABLE["head"]:
        print(line, flush=True)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    policy = os.SCHED_RR if TABLE["slices"] else os.SCHED_FIFO
    try:
        os.sched_setscheduler(0, policy, os.sched_param(1))
    except PermissionError:
        sys.exit("ostep: jobs are SCHED_FIFO or SCHED_RR, which needs CAP_SYS_NICE or root")
    unit_ns = TABLE["unit_ns"]
    if TABLE["slices"]:
        # a little less than a slice for as many units, which end within it then
        slice_ns = int(os.sched_rr_get_interval(0) * 1000000000)
        unit_ns = slice_ns * 95 // 100 // TABLE["slices"]
    pids, zero = start(unit_ns)
    for pid in pids:
        os.waitpid(pid, 0)
    found = times(len(pids), zero, unit_ns)
    order = sorted(range(len(pids)), key=lambda number: found[number][1])
    print("Jobs ended in this order:", " ".join(str(TABLE["jobs"][one]["name"]) for one in order))
    if report and TABLE["kind"] == "scheduler":
        tell_jobs(found)
    elif report:
        tell_run(found)


if __name__ == "__main__":
    main()
