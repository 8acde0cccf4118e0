"""eventfd_read fails with InterruptedError after a handler; os.read goes on (PEP 475)."""

import os
import signal
import time

e = os.eventfd(0)
calls = []


def note(number, frame):
    calls.append(number)


def stop(number, frame):
    raise TimeoutError("enough")


signal.signal(signal.SIGALRM, note)
signal.setitimer(signal.ITIMER_REAL, 0.03)
try:
    os.eventfd_read(e)
except InterruptedError as error:
    print(error, len(calls))
os.eventfd_write(e, 2**64 - 2)
signal.setitimer(signal.ITIMER_REAL, 0.03)
try:
    os.eventfd_write(e, 1)
except InterruptedError as error:
    print(error, len(calls))
os.eventfd_read(e)
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.eventfd_write(e, 8)
    os._exit(0)
signal.setitimer(signal.ITIMER_REAL, 0.03)
print(os.read(e, 8), len(calls))
os.waitpid(pid, 0)
signal.siginterrupt(signal.SIGALRM, False)
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.eventfd_write(e, 9)
    os._exit(0)
signal.setitimer(signal.ITIMER_REAL, 0.03)
print(os.eventfd_read(e), len(calls))
os.waitpid(pid, 0)
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.03)
try:
    os.eventfd_read(e)
except TimeoutError as error:
    print(error)
