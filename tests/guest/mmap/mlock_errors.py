"""mlock: ranges and flags that are refused; a locked page cannot be given back."""

import mmap

from workloads import guest

m = mmap.mmap(-1, 4 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.mlock(m, 1, 2)
for start in range(4):
    try:
        m.madvise(mmap.MADV_DONTNEED, start * mmap.PAGESIZE, mmap.PAGESIZE)
        print(start, "given back")
    except OSError as error:
        print(start, "errno", error.errno)
guest.munlock(m, 0, 2)
for start in range(4):
    try:
        m.madvise(mmap.MADV_DONTNEED, start * mmap.PAGESIZE, mmap.PAGESIZE)
        print(start, "given back")
    except OSError as error:
        print(start, "errno", error.errno)
for flags in (0, 4, 8, 1 | 8):
    try:
        guest.mlockall(flags)
    except OSError as error:
        print("mlockall", flags, error.errno)
guest.mlockall(guest.MCL_FUTURE)
later = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
try:
    later.madvise(mmap.MADV_DONTNEED)
except OSError as error:
    print("mapped later", error.errno)
guest.munlockall()
later.madvise(mmap.MADV_DONTNEED)
m.madvise(mmap.MADV_DONTNEED)
print("all unlocked", m[0])
