"""MADV_WIPEONFORK: child and grandchild find zeros there; the parent keeps its own."""

import mmap
import os

MADV_WIPEONFORK = 18
MADV_KEEPONFORK = 19


def first_bytes(m):
    return [m[0], m[mmap.PAGESIZE], m[2 * mmap.PAGESIZE]]


m = mmap.mmap(-1, 3 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for page in range(3):
    m[page * mmap.PAGESIZE] = 1 + page
m.madvise(MADV_WIPEONFORK, mmap.PAGESIZE, mmap.PAGESIZE)
pid = os.fork()
if pid == 0:
    print("child", first_bytes(m))
    m[mmap.PAGESIZE] = 77
    grandchild = os.fork()
    if grandchild == 0:
        print("grandchild", first_bytes(m))
        os._exit(0)
    os.waitpid(grandchild, 0)
    print("child again", first_bytes(m))
    os._exit(0)
os.waitpid(pid, 0)
print("parent", first_bytes(m))
m.madvise(MADV_KEEPONFORK)
pid = os.fork()
if pid == 0:
    print("kept", first_bytes(m))
    os._exit(0)
os.waitpid(pid, 0)
shared = mmap.mmap(-1, mmap.PAGESIZE)
try:
    shared.madvise(MADV_WIPEONFORK)
except OSError as error:
    print("shared", error.errno)
