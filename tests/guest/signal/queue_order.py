"""Real-time signals queue, standard ones do not; private ones come first, then lower numbers."""

import os
import signal

WAITED = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGSEGV, 34, 35, 64]
signal.pthread_sigmask(signal.SIG_BLOCK, WAITED)


def drain():
    taken = []
    while True:
        info = signal.sigtimedwait(WAITED, 0)
        if info is None:
            return taken
        taken.append(info.si_signo)


me = os.getpid()
for number in (64, 35, 34, 35, 34, 34, signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR1):
    os.kill(me, number)
print(drain())
for number in (64, 34, signal.SIGUSR2):
    os.kill(me, number)
for number in (64, 35, signal.SIGUSR2, signal.SIGUSR2):
    signal.raise_signal(number)
print(drain())
for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGSEGV):
    os.kill(me, number)
print(drain())
pid = os.fork()
if pid == 0:
    for _ in range(50):
        os.kill(me, 40 - 6)
        os.kill(me, signal.SIGUSR1)
    os._exit(0)
os.waitpid(pid, 0)
taken = drain()
print(len(taken), taken[0], taken[-1])
