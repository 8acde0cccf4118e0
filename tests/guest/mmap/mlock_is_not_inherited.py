"""A child inherits no memory locks: it may give back what its parent may not."""

import mmap
import os

from workloads import guest


def give_back(m):
    try:
        m.madvise(mmap.MADV_DONTNEED)
        return "given back"
    except OSError as error:
        return error.errno


m = mmap.mmap(-1, 2 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m[0] = 8
guest.mlock(m, 0, 2)
print("parent", give_back(m))
pid = os.fork()
if pid == 0:
    print("child", give_back(m), m[0])
    os._exit(0)
os.waitpid(pid, 0)
print("parent", give_back(m), m[0])
