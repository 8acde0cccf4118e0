"""A signal during pipe I/O: the call is begun again, a long write that moved something is not."""

import os
import signal
import time

r, w = os.pipe()
calls = []


def note(number, frame):
    calls.append(number)


signal.signal(signal.SIGALRM, note)
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.write(w, b"late")
    os._exit(0)
signal.setitimer(signal.ITIMER_REAL, 0.03)
print(os.read(r, 10), len(calls))
os.waitpid(pid, 0)
signal.setitimer(signal.ITIMER_REAL, 0.03)
print("short:", os.write(w, bytes(100000)), len(calls))
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os._exit(len(os.read(r, 65536)) != 65536)
signal.setitimer(signal.ITIMER_REAL, 0.03)
print("whole:", os.write(w, b"again"), len(calls))
print(os.waitpid(pid, 0)[1])


def stop(number, frame):
    raise TimeoutError("enough")


signal.signal(signal.SIGALRM, stop)
print(os.read(r, 100))
signal.setitimer(signal.ITIMER_REAL, 0.03)
try:
    os.read(r, 1)
except TimeoutError as error:
    print(error)
