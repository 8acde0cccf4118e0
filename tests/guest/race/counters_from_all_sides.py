"""Writers and readers of one eventfd, and of both ends of sockets, at once: nothing is lost."""

import os
import socket

e = os.eventfd(0)
a, b = socket.socketpair()
children = []
for number in range(6):
    pid = os.fork()
    if pid == 0:
        if number < 2:
            os.eventfd_write(e, 1)
            a.send(b"x")
        elif number == 2:
            os.eventfd_read(e)
        elif number < 5:
            if b.recv(1) != b"x":
                os._exit(1)
        else:
            a.shutdown(socket.SHUT_RD)
        os._exit(0)
    children.append(pid)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
os.eventfd_write(e, 5)
left = os.eventfd_read(e)
a.close()
print(statuses, left in (5, 6), b.recv(1))
