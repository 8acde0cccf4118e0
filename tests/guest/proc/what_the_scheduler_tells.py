"""Files of the scheduler in /proc: their layout, and how their numbers hang together."""

import os
import time

from workloads import guest


def read(path):
    with open(path) as file:
        return file.read()


def sched_of(pid):
    """Return the lines of PID/sched up to those about NUMA: names, and values as text."""
    values = {}
    for line in read(f"/proc/{pid}/sched").splitlines()[2:]:
        name, colon, value = line.partition(":")
        if colon:
            values[name.strip()] = value.strip()
    return values


def ns_of(text):
    millis, _, rest = text.partition(".")
    return int(millis) * 1_000_000 + int(rest)


def pressure():
    lines = read("/proc/pressure/cpu").splitlines()
    words = lines[0].split()
    return lines, {word.partition("=")[0]: word.partition("=")[2] for word in words[1:]}


def show_layout():
    text = read("/proc/self/sched")
    head = text.splitlines()[0]
    print(head == f"{read('/proc/self/comm').strip()} ({os.getpid()}, #threads: 1)")
    print(text.splitlines()[1] == "-" * 67)
    rows = [line for line in text.splitlines()[2:] if ":" in line]
    print(all(row[45] == ":" and len(row) in (67, 67) for row in rows))
    for row in rows:
        print(row[:45].rstrip(), "." in row)
    print(text.splitlines()[-2].split(",")[1])
    print(text.splitlines()[-1].split()[0])


def show_values():
    values = sched_of("self")
    print(
        {
            name: values[name]
            for name in ("policy", "prio", "se.load.weight", "clock-delta")
            if name != "clock-delta"
        }
    )
    os.nice(5)
    values = sched_of("self")
    print(values["prio"], values["se.load.weight"])
    before = ns_of(values["se.sum_exec_runtime"])
    guest.compute(20_000_000)
    time.sleep(0.001)
    values = sched_of("self")
    print(ns_of(values["se.sum_exec_runtime"]) - before >= 15_000_000)
    counts = [int(values[f"nr_{kind}switches"]) for kind in ("", "voluntary_", "involuntary_")]
    print(counts[0] == counts[1] + counts[2], counts[1] > 0)
    print(ns_of(values["se.exec_start"]) > 0, ns_of(values["se.vruntime"]) >= 0)


def show_schedstat():
    words = read("/proc/self/schedstat").split(" ")
    print(len(words), words[2].endswith("\n"))
    ran, waited, slices = map(int, words)
    print(ran > 0, waited >= 0, slices > 0)
    task = read(f"/proc/self/task/{os.getpid()}/schedstat").split()
    print(int(task[0]) >= ran, int(task[2]) >= slices)


def show_waiting():
    """Two that compute on one CPU wait for each other, and that is pressure."""
    cpu = min(os.sched_getaffinity(0))
    total = int(pressure()[1]["total"])
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os.sched_setaffinity(0, {cpu})
            guest.compute(60_000_000)
            _, waited, slices = map(int, read("/proc/self/schedstat").split())
            os._exit((waited > 20_000_000) + 2 * (slices > 2))
        pids.append(pid)
    for pid in pids:
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    lines, values = pressure()
    print(int(values["total"]) - total > 20_000)
    print(len(lines), lines[0].split()[0], list(values))
    print(lines[1])
    print(all(len(values[name].partition(".")[2]) == 2 for name in list(values)[:3]))


def show_refusals():
    for path, text in (("/proc/pressure/cpu", "nonsense"), ("/proc/pressure/cpu", "some 1 x")):
        try:
            fd = os.open(path, os.O_RDWR)
            os.write(fd, text.encode())
        except OSError as error:
            print(error.strerror)
    with open("/proc/self/sched", "w") as file:
        print(file.write("0\n"))
    print(oct(os.stat("/proc/self/sched").st_mode), oct(os.stat("/proc/self/schedstat").st_mode))
    print(sorted(os.listdir("/proc/pressure")))


show_layout()
show_values()
show_schedstat()
show_waiting()
show_refusals()
