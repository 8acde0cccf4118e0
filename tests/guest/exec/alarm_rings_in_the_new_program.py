"""An alarm set before exec rings after it, and without its handler it ends the process."""

import os
import signal
import sys
import time


def note(number, frame):
    print("never")


if len(sys.argv) > 1:
    if sys.argv[1] == "left":
        left = signal.alarm(0)
        print("left", 90 < left <= 100, signal.getitimer(signal.ITIMER_REAL))
        sys.exit(0)
    time.sleep(30)
    sys.exit(1)
signal.signal(signal.SIGALRM, note)
for word in ("left", "rings"):
    pid = os.fork()
    if pid == 0:
        if word == "left":
            signal.alarm(100)
        else:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
        os.execv(sys.executable, [sys.executable, "-u", __file__, word])
    print(os.waitpid(pid, 0)[1])
