"""A process that a signal ends has the signal as its status, whoever sent it, and no exit code."""

import os
import signal

ENDING = [n for n in range(1, 65) if n not in (17, 18, 19, 20, 21, 22, 23, 28, 32, 33)]


def by_itself(number):
    os.kill(os.getpid(), number)


def by_raise(number):
    signal.raise_signal(number)


def by_parent(number):
    signal.pause()


for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)
for way in (by_itself, by_raise, by_parent):
    statuses = []
    for number in ENDING:
        pid = os.fork()
        if pid == 0:
            way(number)
            os._exit(1)
        if way == by_parent:
            os.kill(pid, number)
        status = os.waitpid(pid, 0)[1]
        if os.WTERMSIG(status) != number or not os.WIFSIGNALED(status) or os.WIFEXITED(status):
            statuses.append((number, status))
    print(statuses)
