"""Of threads that all wait for a signal the kernel goes on asking the one that took the last."""

import os
import signal
import threading

from workloads import guest

WANTED = [signal.SIGUSR1]
taken = []
tids = []
told = os.pipe()


def state(tid):
    fd = os.open(f"/proc/self/task/{tid}/stat", os.O_RDONLY)
    text = os.read(fd, 1000).decode()
    os.close(fd)
    return text[text.rindex(")") + 2]


def taker(number, times):
    tids.append(guest.gettid())
    os.write(told[1], b"s")
    for _ in range(times):
        signal.sigwait(WANTED)
        taken.append(number)
        os.write(told[1], b"t")


def all_asleep(these):
    for tid in these:
        while state(tid) != "S":
            os.sched_yield()


signal.pthread_sigmask(signal.SIG_BLOCK, WANTED)
threads = []
for number in range(3):
    thread = threading.Thread(target=taker, args=(number, (3, 2, 1)[number]))
    thread.start()
    os.read(told[0], 1)
    threads.append(thread)
for turn in range(6):
    all_asleep(tids[(0, 0, 0, 1, 1, 2)[turn] :])
    os.kill(os.getpid(), signal.SIGUSR1)
    os.read(told[0], 1)
    if turn in (2, 4):
        threads[taken[-1]].join()
for thread in threads:
    thread.join()
print(taken)
