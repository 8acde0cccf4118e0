"""A futex wake-up between the look at the word and the sleep is not lost."""

import mmap
import os

from workloads import guest

ROUNDS = 4

m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def wait_for(turn):
    while True:
        value = guest.READ_ONCE(m, 0)
        if value == turn:
            return
        try:
            guest.futex_wait(m, 0, value)
        except BlockingIOError:
            pass


children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        for round in range(ROUNDS):
            turn = round * 3 + number
            wait_for(turn)
            guest.WRITE_ONCE(m, 0, turn + 1)
            guest.futex_wake(m, 0, 100)
        os._exit(0)
    children.append(pid)
for pid in children:
    print(os.waitpid(pid, 0)[1])
print(guest.READ_ONCE(m, 0))
