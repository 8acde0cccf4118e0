"""A signal that is waiting goes to whichever thread unblocks it first, or is left over."""

import os
import signal
import threading
import time

seen = []


def note(number, frame):
    seen.append(int(number))


def unblocks():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    time.sleep(0.1)
    # joined, it may still be there for a while, and would take the next one too
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])


def takes():
    seen.append(("taken", signal.sigtimedwait([signal.SIGUSR1], 20).si_signo))


def leaves():
    return


signal.signal(signal.SIGUSR1, note)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
thread = threading.Thread(target=leaves)
thread.start()
thread.join()
print(seen)
thread = threading.Thread(target=unblocks)
thread.start()
thread.join()
print(seen, len(signal.sigpending()))
del seen[:]
os.kill(os.getpid(), signal.SIGUSR1)
thread = threading.Thread(target=takes)
thread.start()
thread.join()
print(seen, len(signal.sigpending()))

threads = [threading.Thread(target=takes) for _ in range(3)]
del seen[:]
for thread in threads:
    thread.start()
time.sleep(0.1)
for count in range(3):
    os.kill(os.getpid(), signal.SIGUSR1)
    while len(seen) <= count:
        time.sleep(0.01)
for thread in threads:
    thread.join()
print(seen)
