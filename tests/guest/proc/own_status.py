"""/proc/self/status has its keys in the order of the kernel, and says who we are."""

import os


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


names = []
for line in read_file("/proc/self/status").splitlines():
    names.append(line.partition(":")[0])
print(names[: names.index("Mems_allowed_list") + 3])
keys = status_of("self")
print("Umask", keys["Umask"])
print("State", keys["State"])
print("Pid", int(keys["Pid"]) == os.getpid(), int(keys["Tgid"]) == os.getpid())
print("PPid", int(keys["PPid"]) == os.getppid())
print("TracerPid", keys["TracerPid"])
print("Uid", keys["Uid"].split() == [str(os.getuid())] * 4)
print("Gid", keys["Gid"].split() == [str(os.getgid())] * 4)
print("NSpid", int(keys["NSpid"].split()[-1]) == os.getpid())
print("NSpgid", int(keys["NSpgid"].split()[-1]) == os.getpgrp())
print("NSsid", int(keys["NSsid"].split()[-1]) == os.getsid(0))
print("Kthread", keys["Kthread"])
print("Threads", keys["Threads"])
os.umask(0o077)
print("Umask", status_of("self")["Umask"])
