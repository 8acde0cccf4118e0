"""A datagram pair keeps boundaries: what does not fit is cut off, an empty one is delivered too."""

import os
import socket

a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for data in (b"first", b"", b"second", b"third"):
    print(a.send(data))
print(b.recv(100), b.recv(100), b.recv(3), os.read(b.fileno(), 100))
print(os.write(b.fileno(), b""), a.recv(5))
a.setblocking(False)
try:
    a.recv(1)
except BlockingIOError as error:
    print(error)
try:
    a.send(bytes(212961))
except OSError as error:
    print(error)
print(a.send(bytes(212960)), len(b.recv(300000)))
a.send(b"lost when refused")
b.send(b"mine")
b.close()
for _ in range(2):
    try:
        a.send(b"x")
    except OSError as error:
        print(error.errno)
try:
    print(a.recv(10))
except BlockingIOError as error:
    print(error.errno)
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
b.send(b"kept")
b.close()
print(a.recv(10))
