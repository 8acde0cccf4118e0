"""A handler that reaps leaves nothing for the wait it interrupted, which gets ECHILD."""

import os
import signal
import time

reaped = []


def reap(number, frame):
    reaped.append(os.waitpid(-1, 0)[1] >> 8)


signal.signal(signal.SIGCHLD, reap)
pid = os.fork()
if pid == 0:
    time.sleep(0.05)
    os._exit(5)
try:
    print("waitpid", os.waitpid(pid, 0)[1] >> 8)
except ChildProcessError as error:
    print(error)
time.sleep(0.05)
print(len(reaped))
signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def give_up(number, frame):
    raise TimeoutError("enough")


signal.signal(signal.SIGALRM, give_up)
pid = os.fork()
if pid == 0:
    time.sleep(100)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    os.wait()
except TimeoutError as error:
    print(error)
os.kill(pid, signal.SIGKILL)
print(os.wait()[1])
