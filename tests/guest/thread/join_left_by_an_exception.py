"""join() left by an exception: the thread counts as stopped, and nobody waits for it at exit."""

import os
import signal
import threading
import time


def work():
    time.sleep(0.5)
    print("nobody waits for this")


def ring(number, frame):
    raise KeyError("ring")


signal.signal(signal.SIGALRM, ring)
thread = threading.Thread(target=work)
thread.start()
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    thread.join()
except KeyError:
    print("alive:", thread.is_alive())
thread.join()
pid = os.fork()
if pid == 0:
    print("in a child:", thread.is_alive())
    thread.join()
    os._exit(0)
os.waitpid(pid, 0)
print("main ends")
