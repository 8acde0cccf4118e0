"""stat and status show nice, policy, real-time priority and the CPU mask."""

import os

from workloads import guest


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def status_of(pid):
    keys = {}
    for line in read_file(f"/proc/{pid}/status").splitlines():
        name, _, value = line.partition(":\t")
        keys[name] = value
    return keys


def stat_of(pid):
    text = read_file(f"/proc/{pid}/stat")
    end = text.rindex(")")
    return [text[: text.index(" ")], text[text.index("(") + 1 : end]] + text[end + 2 :].split()


def show(what):
    fields = stat_of("self")
    print(what, "priority", fields[17], "nice", fields[18], "rt", fields[39], "policy", fields[40])


show("normal")
os.nice(3)
show("nice")
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
show("batch")
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
show("idle")
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
show("normal")
os.sched_setaffinity(0, {0})
keys = status_of("self")
print("mask", int(keys["Cpus_allowed"].replace(",", ""), 16), keys["Cpus_allowed_list"])
print("processor", stat_of("self")[38])
guest.prctl(guest.PR_SET_NO_NEW_PRIVS, 1)
print("no new privs", status_of("self")["NoNewPrivs"])
