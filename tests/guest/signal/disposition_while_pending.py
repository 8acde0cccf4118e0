"""What a pending signal does is decided when it is taken, by its disposition then."""

import os
import signal

seen = []


def one(number, frame):
    seen.append(("one", int(number)))


def two(number, frame):
    seen.append(("two", int(number)))


def pending_then(number, before, after):
    pid = os.fork()
    if pid == 0:
        signal.signal(number, before)
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        os.kill(os.getpid(), number)
        signal.signal(number, after)
        waits = number in signal.sigpending()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        print(waits, seen)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, 41):
    for before in (signal.SIG_DFL, signal.SIG_IGN, one):
        for after in (signal.SIG_DFL, signal.SIG_IGN, two):
            print(int(number), pending_then(number, before, after))
