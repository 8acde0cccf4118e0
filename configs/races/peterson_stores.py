"""Peterson's lock, whose two stores a barrier keeps in order; what follows them is a full one.

An exchange of a word that nobody looks at is a barrier, too, so that either can be left out alone.
Nobody waits for the other: who is the last tells what was counted.
"""

import mmap
import os

from workloads import guest

WANTS = (0, 4)
TURN = 8
COUNT = 12
NOTHING = (16, 20)
DONE = 24

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def add(me):
    other = 1 - me
    guest.WRITE_ONCE(memory, WANTS[me], 1)
    guest.smp_mb()
    guest.WRITE_ONCE(memory, TURN, other)
    guest.xchg(memory, NOTHING[me], 0)
    while guest.load_acquire(memory, WANTS[other]) and guest.load_acquire(memory, TURN) == other:
        os.sched_yield()
    guest.WRITE_ONCE(memory, COUNT, guest.READ_ONCE(memory, COUNT) + 1)
    guest.store_release(memory, WANTS[me], 0)


pid = os.fork()
add(0 if pid else 1)
if guest.atomic_add(memory, DONE, 1):
    print("counted", guest.READ_ONCE(memory, COUNT))
