"""Processes that fork children that fork, for a while; then all are gone and the system goes on."""

import os


def generation(left):
    """Fork two children for each generation left; return how many descendants there were."""
    if not left:
        return 0
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os._exit(generation(left - 1))
        pids.append(pid)
    total = 0
    for pid in pids:
        total += 1 + (os.waitpid(pid, 0)[1] >> 8)
    return total


for depth in range(6):
    print(depth, generation(depth))
try:
    os.wait()
except ChildProcessError as error:
    print(error)
