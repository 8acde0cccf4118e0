"""Threads set a CPU timer of their process and use the time that it counts: it goes off."""

import signal
import threading

from workloads.guest import compute

caught = []


def note(number, frame):
    caught.append(number)


def work():
    signal.setitimer(signal.ITIMER_PROF, 0.004)
    compute(6_000_000)
    signal.getitimer(signal.ITIMER_PROF)


signal.signal(signal.SIGPROF, note)
thread = threading.Thread(target=work)
thread.start()
signal.setitimer(signal.ITIMER_PROF, 0.003)
signal.getitimer(signal.ITIMER_REAL)
signal.alarm(0)
while not caught:
    compute(1_000_000)
thread.join()
signal.setitimer(signal.ITIMER_PROF, 0)  # what goes off while Python ends would kill it
print(set(caught) == {signal.SIGPROF})
