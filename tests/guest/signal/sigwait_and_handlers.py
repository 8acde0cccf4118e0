"""A handler for another signal runs while sigwait, sigwaitinfo and sigtimedwait go on waiting."""

import os
import signal
import time

seen = []


def note(number, frame):
    seen.append(int(number))


def poke(numbers):
    """Send the signals to this process, some time apart, from a child."""
    target = os.getpid()
    pid = os.fork()
    if pid == 0:
        for number in numbers:
            time.sleep(0.06)
            os.kill(target, number)
        os._exit(0)
    return pid


signal.signal(signal.SIGUSR1, note)
signal.signal(signal.SIGUSR2, note)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
for way in ("sigwait", "sigwaitinfo", "sigtimedwait", "no time left", "none"):
    pid = poke([signal.SIGUSR1, signal.SIGUSR1, signal.SIGUSR2])
    start = time.monotonic()
    if way == "sigwait":
        got = int(signal.sigwait([signal.SIGUSR2]))
    elif way == "sigwaitinfo":
        got = signal.sigwaitinfo([signal.SIGUSR2]).si_signo
    elif way == "sigtimedwait":
        got = signal.sigtimedwait([signal.SIGUSR2], 30).si_signo
    elif way == "no time left":
        got = signal.sigtimedwait([signal.SIGUSR2], 0.09)
        os.waitpid(pid, 0)
        print("later", signal.sigtimedwait([signal.SIGUSR2], 0).si_signo)
    else:
        got = signal.sigtimedwait([signal.SIGHUP], 0.3)
        print("left over", signal.sigtimedwait([signal.SIGUSR2], 0).si_signo)
    took = time.monotonic() - start
    print(way, got, took >= 0.09, seen)
    seen.clear()
    if way != "no time left":
        os.waitpid(pid, 0)
