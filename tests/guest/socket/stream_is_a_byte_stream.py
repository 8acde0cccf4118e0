"""A stream socket pair carries bytes both ways without boundaries; read and write work too."""

import os
import socket

a, b = socket.socketpair()
print(a.send(b"one"), a.send(b"two"), b.recv(4), b.recv(100))
print(b.send(b"back"), a.recv(2), os.read(a.fileno(), 10))
print(os.write(a.fileno(), b""), os.write(a.fileno(), b"file"), b.recv(10, socket.MSG_PEEK))
print(b.recv(10), b.recv(0))
print(f"{os.fstat(a.fileno()).st_mode:o}", os.get_inheritable(a.fileno()))
print(os.read(b.fileno(), 0))
a.send(b"peeked")
print(b.recv(3, socket.MSG_PEEK), b.recv(6, socket.MSG_WAITALL))
try:
    os.lseek(a.fileno(), 0, 0)
except OSError as error:
    print(error.errno)
fd = os.dup(b.fileno())
b.close()
print(b.fileno(), a.send(b"still"), os.read(fd, 10))
try:
    b.send(b"x")
except OSError as error:
    print(error)
try:
    b.recv(1)
except OSError as error:
    print(error)
b.close()
