"""Two pollers and three writers on a pipe, a socket and an eventfd: no wake-up is lost."""

import os
import select
import socket

r, w = os.pipe()
a, b = socket.socketpair()
e = os.eventfd(0)
writers = []
for kind in range(3):
    pid = os.fork()
    if pid == 0:
        if kind == 0:
            os.write(w, b"x")
        elif kind == 1:
            a.send(b"y")
        else:
            os.eventfd_write(e, 1)
        os._exit(0)
    writers.append(pid)
pollers = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        poll = select.poll()
        left = [r, b.fileno(), e]
        for fd in left:
            poll.register(fd, select.POLLIN)
        while left:
            for fd, _ in poll.poll():
                poll.unregister(fd)
                left.remove(fd)
        os._exit(0)
    pollers.append(pid)
for pid in writers + pollers:
    if os.waitpid(pid, 0)[1]:
        print("failed")
print(os.read(r, 5), b.recv(5), os.eventfd_read(e))
