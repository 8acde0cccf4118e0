"""What is ignored stays so over exec, for every signal; what is caught becomes the default."""

import os
import signal
import sys

NUMBERS = [n for n in range(1, 65) if n not in (9, 19, 32, 33)]


def note(number, frame):
    print("never")


def state():
    ignored, caught = [], []
    for n in NUMBERS:
        handler = signal.getsignal(n)
        if handler == signal.SIG_IGN:
            ignored.append(n)
        elif handler != signal.SIG_DFL:
            caught.append(n)
    return ignored, caught


if len(sys.argv) > 1:
    print(sys.argv[1], state())
    sys.exit(0)
for word in ("even", "odd", "none", "restored"):
    pid = os.fork()
    if pid == 0:
        for n in NUMBERS:
            if word == "none":
                signal.signal(n, signal.SIG_DFL)
            elif word == "restored":
                signal.signal(n, signal.SIG_IGN)
                signal.signal(n, signal.SIG_DFL)
            elif n % 2 == len(word) % 2:
                signal.signal(n, signal.SIG_IGN)
            else:
                signal.signal(n, note)
        os.execv(sys.executable, [sys.executable, "-u", __file__, word])
    print(os.waitpid(pid, 0)[1])
