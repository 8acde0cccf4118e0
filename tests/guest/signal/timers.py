"""alarm and ITIMER_REAL: one per process, lost by fork, kept by exec, coalescing while blocked."""

import os
import signal
import sys
import time

count = [0]


def tick(number, frame):
    count[0] += 1


if len(sys.argv) > 1:
    time.sleep(5)
    sys.exit(1)
signal.signal(signal.SIGALRM, tick)
print(signal.alarm(10), signal.alarm(5), signal.alarm(0), signal.alarm(0))
print(signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05))
while count[0] < 3:
    signal.pause()
left, interval = signal.getitimer(signal.ITIMER_REAL)
print(0 < left <= 0.05, interval)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
count[0] = 0
time.sleep(0.3)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
print("blocked", count[0])
signal.setitimer(signal.ITIMER_REAL, 0)
print(signal.getitimer(signal.ITIMER_REAL))
signal.alarm(100)
pid = os.fork()
if pid == 0:
    print("child", signal.getitimer(signal.ITIMER_REAL))
    os._exit(0)
os.waitpid(pid, 0)
print(99 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100, signal.alarm(0))
pid = os.fork()
if pid == 0:
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    os.execv(sys.executable, [sys.executable, "-u", __file__, "sleep"])
print("kept by exec", os.waitpid(pid, 0)[1])
for which in (-1, 3):
    try:
        signal.setitimer(which, 1)
    except OSError as error:
        print(which, error)
    try:
        signal.getitimer(which)
    except OSError as error:
        print(which, error)
try:
    signal.setitimer(signal.ITIMER_REAL, -1)
except OSError as error:
    print(error)
