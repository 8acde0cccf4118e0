"""A ring of places: what is put in is there before the number that says so, and is read after."""

import mmap
import os

from workloads import guest

HEAD = 0
TAIL = 4
PLACES = (8, 12)

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def put(number):
    if number - guest.load_acquire(memory, TAIL) < len(PLACES):
        guest.WRITE_ONCE(memory, PLACES[number % len(PLACES)], 5 + number)
        guest.store_release(memory, HEAD, number + 1)


def take(number):
    if guest.load_acquire(memory, HEAD) == number:
        return True  # empty
    found = guest.READ_ONCE(memory, PLACES[number % len(PLACES)])
    guest.store_release(memory, TAIL, number + 1)
    return found == 5 + number


pid = os.fork()
if pid == 0:
    os._exit(not take(0))
put(0)
reaped, status = os.waitpid(pid, 0)
print("whole", os.waitstatus_to_exitcode(status) == 0)
