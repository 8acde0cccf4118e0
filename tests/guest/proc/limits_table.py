"""/proc/self/limits has a row for each of the 16 limits."""

import os


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


for line in read_file("/proc/self/limits").splitlines():
    print(repr(line[:26]), repr(line[68:]), len(line))
pid = os.fork()
if pid == 0:
    print(
        "child has the same",
        read_file("/proc/self/limits") == read_file(f"/proc/{os.getppid()}/limits"),
    )
    os._exit(0)
os.waitpid(pid, 0)
