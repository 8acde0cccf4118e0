"""Of all threads' masks and private signals exec keeps those of the thread that calls it."""

import os
import signal
import sys
import threading

from workloads import guest

ALL = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP]


def execute(gate):
    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP])
    signal.raise_signal(signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGTERM)
    os.read(gate, 1)
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])


if len(sys.argv) > 1:
    print([int(n) for n in sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))])
    print([int(n) for n in sorted(signal.sigpending())])
    for _ in range(2):
        info = signal.sigtimedwait(ALL, 0)
        print(info.si_signo, info.si_code)
    print(signal.sigtimedwait(ALL, 0))
    sys.exit(0)
signal.pthread_sigmask(signal.SIG_BLOCK, ALL)
gate = os.pipe()
threading.Thread(target=execute, args=(gate[0],)).start()
signal.raise_signal(signal.SIGUSR1)
signal.raise_signal(signal.SIGHUP)
print([int(n) for n in sorted(signal.sigpending()) if n != signal.SIGTERM])
os.write(gate[1], b"x")
while True:
    guest.compute(1_000_000)
