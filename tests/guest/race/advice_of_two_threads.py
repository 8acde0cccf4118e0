"""Threads give advice about areas while others come and go: each sees areas as they are."""

import mmap
import threading


def map_and_unmap():
    for _ in range(3):
        other = mmap.mmap(-1, 8192)
        other[0] = 1
        other.close()


def advise(area):
    area.madvise(mmap.MADV_DONTFORK)
    area.madvise(mmap.MADV_DONTNEED)
    area.madvise(mmap.MADV_DOFORK)


area = mmap.mmap(-1, 16384)
area[0] = 1
threads = [threading.Thread(target=map_and_unmap), threading.Thread(target=advise, args=(area,))]
for thread in threads:
    thread.start()
area.madvise(mmap.MADV_DONTNEED)
for thread in threads:
    thread.join()
print(len(area), area[5000])
