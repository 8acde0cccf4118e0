"""Blocked signals wait; unblocking handles them, lowest number first, each standard one once."""

import os
import signal

seen = []


def note(number, frame):
    seen.append(int(number))


def numbers(signals):
    return [int(number) for number in sorted(signals)]


ALL = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, 34, 40]
for number in ALL:
    signal.signal(number, note)
me = os.getpid()
old = signal.pthread_sigmask(signal.SIG_BLOCK, ALL)
print("old", numbers(old))
print("now", numbers(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
for number in (
    40,
    signal.SIGTERM,
    signal.SIGUSR2,
    34,
    signal.SIGUSR1,
    signal.SIGHUP,
    signal.SIGUSR1,
    34,
):
    os.kill(me, number)
print("pending", numbers(signal.sigpending()), seen)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
print(seen, numbers(signal.sigpending()))
signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGHUP])
print(seen, numbers(signal.sigpending()))
signal.pthread_sigmask(signal.SIG_SETMASK, ())
print(seen, numbers(signal.sigpending()))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGKILL, signal.SIGSTOP, signal.SIGUSR1])
print("kill and stop are left out", numbers(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
print(numbers(signal.pthread_sigmask(signal.SIG_SETMASK, [])))
for how in (-1, 3, 99):
    try:
        signal.pthread_sigmask(how, [])
    except OSError as error:
        print(how, error)
for bad in ([0], [65], [-1], ["x"], [1.5]):
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, bad)
    except (ValueError, TypeError) as error:
        print(error)
try:
    signal.pthread_sigmask(signal.SIG_BLOCK, 5)
except TypeError as error:
    print(error)
