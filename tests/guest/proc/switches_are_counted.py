"""A task that sleeps counts voluntary switches; times and faults of children are added up."""

import os
import time

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


def voluntary(pid):
    return int(status_of(pid)["voluntary_ctxt_switches"])


before = voluntary("self")
for _ in range(5):
    time.sleep(0.002)
print("slept", voluntary("self") - before >= 5)
pid = os.fork()
if pid == 0:
    print("child starts low", voluntary("self") < before + 5)
    guest.compute(60_000_000)
    os._exit(0)
os.waitpid(pid, 0)
fields = stat_of("self")
print("children's time", int(fields[15]) + int(fields[16]) >= 4, int(fields[13]) < 100)
print("children's faults", int(fields[10]) >= 0)
