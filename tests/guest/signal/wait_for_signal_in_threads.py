"""Threads that wait for the same signals: each signal is taken once, by one of them."""

import os
import signal
import threading
import time

taken = []
WANTED = [signal.SIGUSR1, 34, 35]


def wait_for_one():
    info = signal.sigwaitinfo(WANTED)
    taken.append(info.si_signo)


signal.pthread_sigmask(signal.SIG_BLOCK, WANTED)
threads = [threading.Thread(target=wait_for_one) for _ in range(5)]
for thread in threads:
    thread.start()
time.sleep(0.05)
me = os.getpid()
for number in (35, 34, 34, 35, 34):
    os.kill(me, number)
for thread in threads:
    thread.join()
print(sorted(taken), signal.sigtimedwait(WANTED, 0))
taken.clear()
threads = [threading.Thread(target=wait_for_one) for _ in range(2)]
for thread in threads:
    thread.start()
time.sleep(0.05)
signal.pthread_kill(threads[1].ident, signal.SIGUSR1)
threads[1].join()
print(taken, threads[0].is_alive())
os.kill(me, signal.SIGUSR1)
threads[0].join()
print(taken)
