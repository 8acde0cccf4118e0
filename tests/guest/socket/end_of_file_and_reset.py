"""When the peer closes: end of file, or ECONNRESET once if it left data unread; EPIPE."""

import os
import signal
import socket


def received(sock):
    try:
        return sock.recv(10)
    except OSError as error:
        return error.errno


def sent(sock, flags=0):
    try:
        return sock.send(b"x", flags)
    except OSError as error:
        return error.errno


a, b = socket.socketpair()
b.send(b"left")
b.close()
print("read everything:", received(a), received(a), sent(a), received(a))
a, b = socket.socketpair()
a.send(b"unread")
b.close()
print("unread:", received(a), received(a), sent(a))
a, b = socket.socketpair()
a.send(b"unread")
b.send(b"left")
b.close()
print("data first:", received(a), received(a), received(a))
a, b = socket.socketpair()
a.send(b"unread")
b.close()
print("send first:", sent(a), received(a), received(a))
for flags in (0, socket.MSG_NOSIGNAL):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        c, d = socket.socketpair()
        d.close()
        print(sent(c, flags))
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    print(os.WIFSIGNALED(status), os.WTERMSIG(status))
a, b = socket.socketpair()
b.close()
try:
    os.write(a.fileno(), b"")
except BrokenPipeError as error:
    print(error)
