"""The list of children is read, and the mark of a subreaper spread, while they come and go."""

import os

from workloads import guest


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 1000)
    os.close(fd)
    return data.decode()


parent = os.getpid()
lister = os.fork()
if lister == 0:
    for _ in range(3):
        read_file(f"/proc/{parent}/task/{parent}/children")
    os._exit(0)
children = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        grandchild = os.fork()
        if grandchild:
            os.waitpid(grandchild, 0)
        os._exit(0)
    children.append(pid)
guest.prctl(guest.PR_SET_CHILD_SUBREAPER, 1)
statuses = []
for pid in children + [lister]:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses)
