"""A handler runs during poll and select; they go on with the time left, or end if it raises."""

import os
import select
import signal
import time

r, w = os.pipe()
poll = select.poll()
poll.register(r, select.POLLIN)
handled = []


def note(number, frame):
    handled.append(number)


def stop(number, frame):
    raise TimeoutError("enough")


signal.signal(signal.SIGALRM, note)
signal.setitimer(signal.ITIMER_REAL, 0.03, 0.03)
start = time.monotonic_ns()
print(poll.poll(100))
took = time.monotonic_ns() - start
print(len(handled) >= 2, took >= 100000000)
handled.clear()
start = time.monotonic_ns()
print(select.select([r], [], [], 0.1))
took = time.monotonic_ns() - start
print(len(handled) >= 2, took >= 100000000)
signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, stop)
signal.siginterrupt(signal.SIGALRM, False)
for turn in range(2):
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    try:
        if turn:
            poll.poll()
        else:
            select.select([r], [], [])
    except TimeoutError as error:
        print(turn, error)
signal.signal(signal.SIGALRM, note)
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.write(w, b"late")
    os._exit(0)
signal.setitimer(signal.ITIMER_REAL, 0.03)
print(len(poll.poll()), os.read(r, 10))
os.waitpid(pid, 0)
