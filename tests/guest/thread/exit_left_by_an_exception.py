"""The wait for the threads at exit, left by an exception of a handler: it is told, no more."""

import os
import signal
import threading
import time


def work():
    time.sleep(0.6)
    print("nobody waits for this")


def ring(number, frame):
    raise KeyError("ring")


signal.signal(signal.SIGALRM, ring)
for code in (0, 3):
    pid = os.fork()
    if pid == 0:
        for _ in range(2):
            threading.Thread(target=work).start()
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        if code:
            raise SystemExit(code)
        break
    print(os.waitpid(pid, 0)[1])
