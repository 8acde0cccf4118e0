"""A handler that raises ends a waiting open(); one that returns lets it go on (PEP 475)."""

import os
import signal
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)


def stop(number, frame):
    raise TimeoutError("enough")


def note(number, frame):
    os.write(1, b"handler\n")


signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    os.open(path, os.O_RDONLY)
except TimeoutError as error:
    print("reader:", error)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    os.open(path, os.O_WRONLY)
except TimeoutError as error:
    print("writer:", error)
r = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
print("nothing is left of them:", os.read(r, 1))
os.close(r)
signal.signal(signal.SIGALRM, note)
child = os.fork()
if child == 0:
    time.sleep(0.15)
    os.write(os.open(path, os.O_WRONLY), b"late")
    os._exit(0)
signal.setitimer(signal.ITIMER_REAL, 0.05)
r = os.open(path, os.O_RDONLY)
print(os.read(r, 10))
os.waitpid(child, 0)
os.unlink(path)
