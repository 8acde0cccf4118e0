"""A child that floods its parent with signals on one CPU leaves it time to handle them."""

import os
import signal
import time

handled = [0]


def note(number, frame):
    handled[0] += 1


os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
signal.signal(signal.SIGUSR1, note)
parent = os.getpid()
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    while True:
        os.kill(parent, signal.SIGUSR1)
while handled[0] < 20:
    time.sleep(0.002)
os.kill(pid, signal.SIGKILL)
print(os.waitpid(pid, 0)[1], handled[0] >= 20)
