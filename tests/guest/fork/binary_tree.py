"""A tree of processes three generations deep: each node returns the size of its subtree."""

import os


def grow(depth):
    size = 1
    if depth > 0:
        children = []
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                os._exit(grow(depth - 1))
            children.append(pid)
        for pid in children:
            _, status = os.waitpid(pid, 0)
            size += os.WEXITSTATUS(status)
    return size


print("processes", grow(3))
