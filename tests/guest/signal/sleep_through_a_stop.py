"""Time goes on for a stopped process: a sleep, an alarm and a wait with a timeout end in time."""

import os
import signal
import threading
import time

ready = os.pipe()


def rings(number, frame):
    print("alarm")


def act(way):
    start = time.monotonic()
    if way == "sleep":
        time.sleep(0.2)
    elif way == "alarm":
        signal.signal(signal.SIGALRM, rings)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        signal.pause()
    else:
        lock = threading.Lock()
        lock.acquire()
        print(lock.acquire(timeout=0.2))
    took = time.monotonic() - start
    return 0.5 <= took < 0.68


for way in ("sleep", "alarm", "lock"):
    pid = os.fork()
    if pid == 0:
        os.write(ready[1], b"r")
        os._exit(act(way))
    os.read(ready[0], 1)
    time.sleep(0.05)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    time.sleep(0.5)
    os.kill(pid, signal.SIGCONT)
    print(way, os.waitpid(pid, 0)[1] >> 8)
