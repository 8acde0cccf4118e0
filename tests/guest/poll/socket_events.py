"""What poll says of socket pairs: streams and datagrams, shut down, reset, hung up."""

import select
import socket


def show(what, sock):
    poll = select.poll()
    poll.register(sock, 0x3FFF)
    print(what, [f"{mask:x}" for _, mask in poll.poll(0)])


a, b = socket.socketpair()
show("idle", a)
b.send(b"x")
show("data", a)
b.close()
show("data and peer gone", a)
a.recv(5)
show("peer gone", a)
a, b = socket.socketpair()
a.send(b"x")
b.close()
show("reset", a)
try:
    a.recv(1)
except OSError as error:
    print(error.errno)
show("error taken", a)
a, b = socket.socketpair()
b.shutdown(socket.SHUT_WR)
show("peer sends no more", a)
show("the other side", b)
a.shutdown(socket.SHUT_WR)
show("both", a)
a, b = socket.socketpair()
a.setblocking(False)
while True:
    try:
        a.send(bytes(4096))
    except BlockingIOError:
        break
show("full", a)
b.recv(4096)
show("a little room is not enough", a)
print(a.send(b"y"))
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
show("datagrams", a)
b.send(b"")
show("an empty one", a)
b.close()
a.recv(1)
show("datagram peer gone", a)
