"""How many sends of a size fill a socket: Linux charges what a piece really takes up in memory."""

import select
import socket


def fill(kind, size):
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    a.setblocking(False)
    sends = total = 0
    while True:
        try:
            total += a.send(bytes(size))
        except BlockingIOError:
            break
        sends += 1
    poll = select.poll()
    poll.register(a, select.POLLOUT)
    reads = 0
    while not poll.poll(0):
        b.recv(1 << 20 if kind == socket.SOCK_DGRAM else size)
        reads += 1
    a.close()
    b.close()
    return sends, total, reads


for size in (1, 192, 193, 704, 705, 1728, 1729, 3776, 3777, 4096, 5000, 7000, 8192, 9000, 20000):
    print(size, fill(socket.SOCK_STREAM, size), fill(socket.SOCK_DGRAM, size))
for size in (32768, 36544, 36545, 40000, 65536, 70000, 106433, 150000, 212960):
    print(size, fill(socket.SOCK_STREAM, size), fill(socket.SOCK_DGRAM, size))
print(1000000, fill(socket.SOCK_STREAM, 1000000))
