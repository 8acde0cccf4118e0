"""/proc/loadavg counts forks: the last pid is that of the newest child."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


words = read_file("/proc/loadavg").split()
print(len(words), [word.count(".") for word in words[:3]])
running, threads = words[3].split("/")
print("running", int(running) >= 1)
pid = os.fork()
if pid == 0:
    os.read(os.open("/dev/null", os.O_RDONLY), 1)
    os._exit(0)
print("last pid", int(read_file("/proc/loadavg").split()[4]) == pid)
print("ns_last_pid", int(read_file("/proc/sys/kernel/ns_last_pid")) == pid)
os.waitpid(pid, 0)
