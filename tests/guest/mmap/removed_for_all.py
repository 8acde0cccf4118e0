"""MADV_REMOVE takes pages out of a shared mapping for everybody who maps it."""

import mmap
import os

m = mmap.mmap(-1, 2 * mmap.PAGESIZE)
m[0] = 1
m[mmap.PAGESIZE] = 2
pid = os.fork()
if pid == 0:
    m.madvise(mmap.MADV_REMOVE, 0, mmap.PAGESIZE)
    m[1] = 9
    os._exit(m[mmap.PAGESIZE])
print("child", os.waitpid(pid, 0)[1] >> 8)
print("parent", m[0], m[1], m[mmap.PAGESIZE])
