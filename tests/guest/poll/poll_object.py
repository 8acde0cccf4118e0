"""register, modify and unregister of a poll object, and what it refuses; fork copies it."""

import os
import select

r, w = os.pipe()
poll = select.poll()
print(poll.poll(0))
poll.register(w)
poll.register(w, select.POLLIN)
print(poll.poll(0))
poll.modify(w, select.POLLOUT)
print(poll.poll(0) == [(w, select.POLLOUT)])
for fd, mask in ((r, select.POLLIN), (900, 0), (0, 0)):
    try:
        poll.modify(fd, mask)
    except OSError as error:
        print(error)
try:
    poll.unregister(r)
except KeyError as error:
    print(error.args == (r,))
for fd in (-1, "x"):
    try:
        poll.register(fd)
    except (ValueError, TypeError) as error:
        print(error)
for mask in (-1, 1 << 16, "x"):
    try:
        poll.register(w, mask)
    except (ValueError, OverflowError, TypeError) as error:
        print(error)
poll.register(900, 0)
print(poll.poll(0)[1])
if os.fork() == 0:
    poll.unregister(900)
    poll.register(r, select.POLLIN)
    os.write(w, b"x")
    print(len(poll.poll()))
    os._exit(0)
os.wait()
print(poll.poll(0)[1], len(poll.poll(0)))
