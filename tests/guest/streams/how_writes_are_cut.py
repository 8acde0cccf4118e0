"""The write(2) calls that CPython makes of print and write, seen through a packet of a socket."""

import os
import socket

left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
right.setblocking(False)


def sizes():
    found = []
    while True:
        try:
            found.append(len(right.recv(200000)))
        except BlockingIOError:
            return found


def texts(buffering, pieces):
    file = os.fdopen(os.dup(left.fileno()), "w", buffering)
    for piece in pieces:
        file.write(piece)
    before = sizes()
    file.close()
    print(buffering, [len(piece) for piece in pieces], before, sizes())


def binaries(buffering, pieces):
    file = os.fdopen(os.dup(left.fileno()), "wb", buffering)
    for piece in pieces:
        file.write(piece)
    before = sizes()
    file.close()
    print(buffering, [len(piece) for piece in pieces], before, sizes())


for buffering in (-1, 1, 100, 20000):
    texts(buffering, ["a" * 10] * 3)
    texts(buffering, ["a" * 5000] * 3)
    texts(buffering, ["a" * 8191, "b", "c"])
    texts(buffering, ["a" * 8192, "b"])
    texts(buffering, ["a" * 30000, "b" * 10, "c\n", "d\nd"])
    if buffering == 1:
        continue  # CPython warns of it
    binaries(buffering, [b"a" * 10] * 3)
    binaries(buffering, [b"a" * 3000] * 5)
    binaries(buffering, [b"a" * 4096, b"b"])
    binaries(buffering, [b"a" * 50000, b"b" * 4095, b"c", b"d"])
binaries(0, [b"a" * 10, b"b" * 20])
