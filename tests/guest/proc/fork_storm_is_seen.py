"""procs in /proc/stat and the process count of loadavg follow forks and waits."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


def forks():
    for line in read_file("/proc/stat").splitlines():
        if line.startswith("processes "):
            return int(line.split()[1])
    return -1


def threads():
    return int(read_file("/proc/loadavg").split()[3].split("/")[1])


before = forks()
r, w = os.pipe()
pids = []
for _ in range(10):
    pid = os.fork()
    if pid == 0:
        os.close(w)
        os.read(r, 1)
        os._exit(0)
    pids.append(pid)
print("forked", forks() - before >= 10, "threads", threads() >= 11)
os.close(w)
for pid in pids:
    os.waitpid(pid, 0)
names = []
for line in read_file("/proc/stat").splitlines():
    names.append(line.split()[0])
for name in ["cpu", "cpu0", "intr", "ctxt", "btime", "processes", "procs_running", "procs_blocked"]:
    print(name, name in names)
