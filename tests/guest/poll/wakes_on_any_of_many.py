"""poll sleeps on pipes, sockets and an eventfd at once; whichever gets something first is told."""

import os
import select
import socket

pr, pw = os.pipe()
sa, sb = socket.socketpair()
e = os.eventfd(0)
go_r, go_w = os.pipe()
poll = select.poll()
poll.register(pr, select.POLLIN)
poll.register(sb, select.POLLIN)
poll.register(e, select.POLLIN)
names = {pr: "pipe", sb.fileno(): "socket", e: "eventfd"}
pid = os.fork()
if pid == 0:
    os.write(pw, b"1")
    os.read(go_r, 1)
    sa.send(b"2")
    os.read(go_r, 1)
    os.eventfd_write(e, 3)
    os.read(go_r, 1)
    os._exit(0)
for _ in range(3):
    for fd, mask in poll.poll():
        print(names[fd], mask)
        if fd == pr:
            os.read(pr, 1)
        elif fd == e:
            print(os.eventfd_read(e))
        else:
            sb.recv(1)
    os.write(go_w, b"g")
poll.unregister(e)
print(poll.poll(0))
os.waitpid(pid, 0)
os.close(pw)
sa.close()
events = poll.poll()
print([(names[fd], mask) for fd, mask in events])
