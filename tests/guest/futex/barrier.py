"""A barrier of two words: the last to come lets all others of its round go on."""

import mmap
import os

from workloads import guest

PARTIES = 4
ROUNDS = 3

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def barrier():
    round = guest.load_acquire(m, 4)
    if guest.atomic_add(m, 0, 1) == PARTIES - 1:
        guest.WRITE_ONCE(m, 0, 0)
        guest.store_release(m, 4, round + 1)
        guest.futex_wake(m, 4, PARTIES)
        return
    while guest.load_acquire(m, 4) == round:
        try:
            guest.futex_wait(m, 4, round)
        except BlockingIOError:
            pass


for _ in range(PARTIES):
    if os.fork() == 0:
        for round in range(ROUNDS):
            guest.atomic_add(m, 64 + 4 * round, 1)
            barrier()
            if guest.READ_ONCE(m, 64 + 4 * round) != PARTIES:
                os._exit(1)
        os._exit(0)
for _ in range(PARTIES):
    print(os.wait()[1])
print(guest.READ_ONCE(m, 4))
