"""A handler can be interrupted by another signal, and by its own."""

import os
import signal

depth = [0]
log = []


def low(number, frame):
    log.append(("low", depth[0]))
    depth[0] += 1
    if depth[0] < 4:
        os.kill(os.getpid(), signal.SIGUSR2)
    depth[0] -= 1
    log.append(("low ends", depth[0]))


def high(number, frame):
    log.append(("high", depth[0]))
    depth[0] += 1
    if depth[0] < 4:
        os.kill(os.getpid(), signal.SIGUSR1)
    depth[0] -= 1
    log.append(("high ends", depth[0]))


signal.signal(signal.SIGUSR1, low)
signal.signal(signal.SIGUSR2, high)
os.kill(os.getpid(), signal.SIGUSR1)
for entry in log:
    print(entry)

order = []


def first(number, frame):
    order.append(int(number))
    os.kill(os.getpid(), signal.SIGHUP)
    order.append("back")


def note(number, frame):
    order.append(int(number))


signal.signal(signal.SIGHUP, note)
signal.signal(signal.SIGUSR1, first)
signal.signal(signal.SIGUSR2, note)
signal.signal(signal.SIGTERM, note)
WAITING = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM]
signal.pthread_sigmask(signal.SIG_BLOCK, WAITING)
for number in WAITING:
    os.kill(os.getpid(), number)
signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITING)
print(order)


def fails(number, frame):
    order.append(int(number))
    raise RuntimeError("in a handler")


order.clear()
signal.signal(signal.SIGUSR1, fails)
signal.pthread_sigmask(signal.SIG_BLOCK, WAITING)
for number in WAITING:
    os.kill(os.getpid(), number)
try:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITING)
except RuntimeError as error:
    print("caught", error)
os.getpid()
print(order)
