"""ITIMER_VIRTUAL and ITIMER_PROF run on CPU time of the whole process, and not while it sleeps."""

import os
import resource
import signal
import threading
import time

from workloads.guest import compute

MS = 1_000_000
caught = []


def handler(signum, frame):
    caught.append(int(signum))


def spin(ms):
    compute(ms * MS)


def spin_until(count):
    """Spin until so many signals have come; natively part of it is system time."""
    for _ in range(600):
        if len(caught) >= count:
            return
        compute(5 * MS)


signal.signal(signal.SIGVTALRM, handler)
signal.signal(signal.SIGPROF, handler)
for which in (-1, 3):
    for call in ("set", "get"):
        try:
            if call == "set":
                signal.setitimer(which, 1)
            else:
                signal.getitimer(which)
        except OSError as error:
            print(which, call, error.errno)
for which in (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
    print(signal.getitimer(which), signal.setitimer(which, 0))
    signal.setitimer(which, 0.03)
    left, interval = signal.getitimer(which)
    print(0.02 < left <= 0.04, interval)
    time.sleep(0.06)
    print("asleep it stands", caught, signal.getitimer(which)[0] > 0.01)
    spin_until(1)
    print("expired once", caught, signal.getitimer(which))
    del caught[:]
# an interval
signal.setitimer(signal.ITIMER_PROF, 0.02, 0.02)
for _ in range(60):
    compute(4 * MS)
print("again and again", 5 <= len(caught) <= 13, signal.getitimer(signal.ITIMER_PROF)[1])
left, interval = signal.setitimer(signal.ITIMER_PROF, 0)
print(left > 0, interval)
del caught[:]
compute(50 * MS)
print("stopped", caught)
# all threads together
signal.setitimer(signal.ITIMER_VIRTUAL, 0.1)
threads = [threading.Thread(target=spin, args=(300,)), threading.Thread(target=spin, args=(300,))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("together", caught)
del caught[:]
# fork drops them, exec keeps them
signal.setitimer(signal.ITIMER_PROF, 10, 5)
pid = os.fork()
if pid == 0:
    print("child", signal.getitimer(signal.ITIMER_PROF))
    os._exit(0)
os.waitpid(pid, 0)
print("parent", signal.getitimer(signal.ITIMER_PROF)[1])
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.02)
    compute(3000 * MS)
    os._exit(0)
print("killed by", -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
signal.setitimer(signal.ITIMER_PROF, 0)
# the clocks of both may be due at the same tick
signal.setitimer(signal.ITIMER_VIRTUAL, 0.02)
signal.setitimer(signal.ITIMER_PROF, 0.02)
spin_until(2)
caught.sort()
print(caught, resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY)
