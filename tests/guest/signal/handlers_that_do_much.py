"""A handler may fork, wait, write, sleep, change masks and handlers, and call exec."""

import os
import signal
import sys
import time

log = []


def forks(number, frame):
    pid = os.fork()
    if pid == 0:
        os._exit(4)
    log.append(os.waitpid(pid, 0)[1] >> 8)


def sleeps(number, frame):
    time.sleep(0.02)
    log.append("slept")


def replaces_itself(number, frame):
    log.append("first")
    signal.signal(number, forks)
    os.kill(os.getpid(), number)


def blocks_itself(number, frame):
    log.append("blocking")
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    os.kill(os.getpid(), number)
    log.append(number in signal.sigpending())


def executes(number, frame):
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])


if len(sys.argv) > 1:
    # a handler in Python is no handler to the kernel: nothing stays blocked
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    print("again", [int(n) for n in blocked], [int(n) for n in signal.sigpending()])
    sys.exit(3)
for handler in (forks, sleeps, replaces_itself, blocks_itself):
    signal.signal(signal.SIGUSR1, handler)
    os.kill(os.getpid(), signal.SIGUSR1)
    print(log)
    log.clear()
signal.signal(signal.SIGUSR2, executes)
os.kill(os.getpid(), signal.SIGUSR2)
