"""One number can be pending twice, for the thread and for the process; more of it is lost."""

import os
import signal

seen = []


def note(number, frame):
    seen.append(int(number))


def count(number):
    taken = 0
    while signal.sigtimedwait([number], 0) is not None:
        taken += 1
    return taken


me = os.getpid()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, 35])
for number in (signal.SIGUSR1, 35):
    for _ in range(3):
        os.kill(me, number)
        signal.raise_signal(number)
    print(int(number), count(number))
signal.signal(signal.SIGUSR1, note)
os.kill(me, signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
print(signal.sigwait([signal.SIGUSR1]) == signal.SIGUSR1, signal.SIGUSR1 in signal.sigpending())
os.kill(me, signal.SIGUSR1)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
print("ignored", signal.SIGUSR1 in signal.sigpending(), count(signal.SIGUSR1))
os.kill(me, signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
print("ignored but blocked", signal.SIGUSR1 in signal.sigpending(), count(signal.SIGUSR1))
