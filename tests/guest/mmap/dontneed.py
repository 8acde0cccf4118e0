"""MADV_DONTNEED: private pages read as zeros again, shared ones keep what was stored."""

import mmap
import os


def kept(m):
    return (m[5], m[mmap.PAGESIZE + 5], m[2 * mmap.PAGESIZE + 5])


private = mmap.mmap(-1, 3 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared = mmap.mmap(-1, 3 * mmap.PAGESIZE)
for m in (private, shared):
    for page in range(3):
        m[page * mmap.PAGESIZE + 5] = 40 + page
pid = os.fork()
if pid == 0:
    private.madvise(mmap.MADV_DONTNEED, 0, 2 * mmap.PAGESIZE)
    shared.madvise(mmap.MADV_DONTNEED)
    print("child", kept(private), kept(shared))
    private[5] = 1
    print("again", private[5])
    os._exit(0)
os.waitpid(pid, 0)
print("parent", kept(private), kept(shared))
shared.madvise(mmap.MADV_REMOVE, mmap.PAGESIZE, mmap.PAGESIZE)
print("removed", kept(shared))
