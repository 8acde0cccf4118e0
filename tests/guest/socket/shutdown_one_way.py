"""shutdown closes one direction: the peer reads the end, or cannot write any more."""

import socket


def received(sock):
    try:
        return sock.recv(10)
    except OSError as error:
        return error.errno


def sent(sock):
    try:
        return sock.send(b"x")
    except OSError as error:
        return error.errno


a, b = socket.socketpair()
a.send(b"last")
a.shutdown(socket.SHUT_WR)
print(sent(a), received(b), received(b), sent(b), received(a))
a, b = socket.socketpair()
b.send(b"before")
a.shutdown(socket.SHUT_RD)
print(sent(b), received(a), received(a), sent(a), received(b))
a, b = socket.socketpair()
a.shutdown(socket.SHUT_RDWR)
print(sent(a), sent(b), received(a), received(b))
try:
    a.shutdown(9)
except OSError as error:
    print(error.errno)
a.shutdown(socket.SHUT_RD)
print("again is fine")
