"""Stopping and continuing a process inside poll or select changes nothing: no EINTR."""

import os
import select
import signal
import time

for how in ("poll", "select", "poll with time", "select with time"):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        start = time.monotonic_ns()
        if how == "poll":
            poll = select.poll()
            poll.register(r, select.POLLIN)
            print(how, len(poll.poll()))
        elif how == "select":
            print(how, len(select.select([r], [], [])[0]))
        elif how == "poll with time":
            poll = select.poll()
            poll.register(r, select.POLLPRI)
            print(how, poll.poll(100), time.monotonic_ns() - start >= 100000000)
        else:
            print(how, select.select([], [], [r], 0.1), time.monotonic_ns() - start >= 100000000)
        os._exit(0)
    time.sleep(0.03)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    os.kill(pid, signal.SIGCONT)
    time.sleep(0.03)
    os.write(w, b"x")
    print(os.waitpid(pid, 0)[1])
    os.close(r)
    os.close(w)
