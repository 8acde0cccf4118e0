"""NSpid has the number in each namespace; self and the rest are those of the mounted /proc."""

import os
import signal

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


pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
if pid == 0:
    keys = status_of("self")
    print("inside", os.getpid(), keys["NSpid"].split()[-1], keys["NStgid"].split()[-1])
    print("levels", len(keys["NSpid"].split()), keys["NSpid"].split()[0] == keys["Pid"])
    print("group", keys["NSpgid"].split()[-1], keys["NSsid"].split()[-1])
    print(
        "last pid",
        read_file("/proc/loadavg").split()[4],
        read_file("/proc/sys/kernel/ns_last_pid").strip(),
    )
    child = os.fork()
    if child == 0:
        print("child", os.getpid(), status_of("self")["NSpid"].split()[1])
        os._exit(0)
    os.waitpid(child, 0)
    print("last pid", read_file("/proc/loadavg").split()[4])
    os._exit(0)
levels = status_of(pid)["NSpid"].split()
print(os.waitpid(pid, 0)[1])
print("outside", len(levels), levels[0] == str(pid))
