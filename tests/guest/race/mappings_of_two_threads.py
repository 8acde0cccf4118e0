"""Threads map, lock, attach and give back memory while others touch theirs: nothing is mixed up."""

import mmap
import threading

from workloads import guest

PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
PAGE = mmap.PAGESIZE
shm = guest.shmget(guest.IPC_PRIVATE, 2 * PAGE, guest.IPC_CREAT | 0o600)
common = mmap.mmap(-1, 4 * PAGE, flags=PRIVATE)
right = []


def mapper(number):
    for _ in range(2):
        m = mmap.mmap(-1, 2 * PAGE, flags=PRIVATE)
        m[0] = number
        guest.mlock(m, 0, 1)
        common[number * PAGE] = number + 1
        guest.munlock(m, 0, 1)
        right.append(m[0] == number)
        m.close()


def attacher(number):
    for _ in range(2):
        m = guest.shmat(shm)
        common[number * PAGE] = number + 1
        guest.shmdt(m)
    guest.mlockall(guest.MCL_CURRENT)
    guest.munlockall()


threads = []
for number in range(4):
    kind = mapper if number < 2 else attacher
    threads.append(threading.Thread(target=kind, args=(number,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
found = []
for number in range(4):
    found.append(common[number * PAGE])
print(right, found)
guest.shmctl(shm, guest.IPC_RMID)
