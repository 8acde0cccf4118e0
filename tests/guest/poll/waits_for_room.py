"""Waiting with poll for room in a pipe and in a socket, while another process drains them."""

import os
import select
import socket

r, w = os.pipe()
a, b = socket.socketpair()
pid = os.fork()
if pid == 0:
    os.close(w)
    a.close()
    total = 0
    while True:
        data = os.read(r, 3000)
        if not data:
            break
        total += len(data)
    while True:
        data = b.recv(3000)
        if not data:
            break
        total += len(data)
    print("read", total)
    os._exit(0)
os.close(r)
b.close()
sent = 0
for fd in (w, a.fileno()):
    os.set_blocking(fd, False)
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    left = 400000
    while left:
        if poll.poll() == [(fd, select.POLLOUT)]:
            try:
                count = os.write(fd, bytes(min(left, 10000)))
            except BlockingIOError:
                print("POLLOUT, and no room at all")
            left -= count
            sent += count
    os.close(fd)
print("sent", sent, os.waitpid(pid, 0)[1])
os._exit(0)
