"""What socketpair, send, recv and shutdown refuse."""

import os
import socket


def tried(family=None, kind=socket.SOCK_STREAM, protocol=0):
    try:
        a, b = socket.socketpair(family, kind, protocol)
        print("made", b.fileno() - a.fileno())
        a.close()
        b.close()
    except OSError as error:
        print(error)


tried()
tried(socket.AF_UNIX, socket.SOCK_STREAM, 1)
tried(socket.AF_UNIX, socket.SOCK_STREAM, 2)
tried(socket.AF_UNIX, 9)
tried(socket.AF_UNIX, 11)
tried(2, socket.SOCK_STREAM)
tried(10, socket.SOCK_DGRAM)
tried(99, socket.SOCK_STREAM)
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
print(os.get_blocking(a.fileno()), os.get_inheritable(a.fileno()))
try:
    a.recv(1)
except BlockingIOError as error:
    print(error)
a.setblocking(True)
try:
    a.recv(1, socket.MSG_DONTWAIT)
except BlockingIOError as error:
    print(error)
try:
    a.recv(-1)
except ValueError as error:
    print(error)
os.dup2(os.open("/dev/null", os.O_RDWR), a.fileno())
try:
    a.send(b"x")
except OSError as error:
    print(error)
try:
    a.recv(1)
except OSError as error:
    print(error)
fds = []
while True:
    try:
        fds.append(os.dup(0))
    except OSError:
        break
os.close(fds.pop())
tried()
os.close(fds.pop())
tried()
