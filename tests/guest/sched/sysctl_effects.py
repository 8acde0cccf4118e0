"""What the scheduler's parameters do: the quantum of SCHED_RR, the periods of deadline tasks."""

import os

from workloads.guest import compute, sched_setattr

SCHED_DEADLINE = 6
US = 1000
MS = 1000000


def write(name, text):
    with open("/proc/sys/kernel/" + name, "w") as file:
        file.write(text)


def turns(steps):
    """Let two equal SCHED_RR tasks, forked now, compute on one CPU; return how often they swap."""
    read_end, write_end = os.pipe()
    pids = []
    for name in (b"a", b"b"):
        pid = os.fork()
        if pid == 0:
            for _ in range(steps):
                compute(10 * MS)
                os.write(write_end, name)
            os._exit(0)
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(30))
        pids.append(pid)
    os.close(write_end)
    for pid in pids:
        os.waitpid(pid, 0)
    text = b""
    while len(text) < 2 * steps:
        text += os.read(read_end, 100)
    os.close(read_end)
    return sum(text[place] != text[place - 1] for place in range(1, len(text)))


def period(length):
    """Return whether a deadline task may have that period."""
    try:
        sched_setattr(
            0, SCHED_DEADLINE, runtime_ns=length // 2, deadline_ns=length, period_ns=length
        )
    except OSError as error:
        return error.errno
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return 0


write("sched_deadline_period_max_us", "1000000")
print("period", [period(length * US) for length in (99, 100, 1000000, 1000001)])
write("sched_deadline_period_min_us", "50000\n")
print("period", [period(length * US) for length in (49999, 50000, 1000000)])
write("sched_deadline_period_max_us", "5000000")
print("period", [period(length * US) for length in (49999, 5000000, 5000001)])
write("sched_deadline_period_max_us", "4194304")
write("sched_deadline_period_min_us", "100")
print("period", [period(length * US) for length in (99, 100, 4194304, 4194305)])

os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(40))
for text in ("1", "4", "5", "8", "9", "50", "0", "1000", "2147483647", "100"):
    write("sched_rr_timeslice_ms", text)
    print("quantum", text, round(os.sched_rr_get_interval(0) * 1000))
print("round robin", 1 <= turns(24) <= 6)
write("sched_rr_timeslice_ms", "20")
print("round robin of 20 ms", turns(24) >= 12)
write("sched_rr_timeslice_ms", "0")
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(40))
print("fifo", os.sched_rr_get_interval(0))
