"""A FIFO opened before any writer does not hang up until one came and left; then it does."""

import os
import select
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)
r = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
poll = select.poll()
poll.register(r, select.POLLIN)


def show(what):
    print(what, [mask for _, mask in poll.poll(0)])


show("no writer yet")
w = os.open(path, os.O_WRONLY)
show("writer")
os.write(w, b"x")
show("data")
os.close(w)
show("data, writer gone")
os.read(r, 1)
show("writer gone")
w = os.open(path, os.O_WRONLY)
show("a new one")
os.close(w)
pid = os.fork()
if pid == 0:
    os.close(r)
    w = os.open(path, os.O_WRONLY)
    os._exit(0)
os.waitpid(pid, 0)
show("came and left")
os.unlink(path)
