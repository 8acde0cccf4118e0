"""After fork a private mapping is copied on write, a shared one stays one."""

import mmap
import os

SIZE = 4 * mmap.PAGESIZE
private = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
shared = mmap.mmap(-1, SIZE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
print("fresh", private[0], shared[SIZE - 1], len(private))
private[0] = 1
shared[0] = 1
shared[mmap.PAGESIZE : mmap.PAGESIZE + 3] = b"abc"
pid = os.fork()
if pid == 0:
    print("child sees", private[0], shared[0], shared[mmap.PAGESIZE : mmap.PAGESIZE + 4])
    private[0] = 2
    shared[0] = 2
    shared[mmap.PAGESIZE - 1 : mmap.PAGESIZE + 1] = b"ZZ"
    print("child wrote", private[0], shared[0])
    os._exit(0)
os.waitpid(pid, 0)
print("parent sees", private[0], shared[0])
print(shared[mmap.PAGESIZE - 1 : mmap.PAGESIZE + 3])
