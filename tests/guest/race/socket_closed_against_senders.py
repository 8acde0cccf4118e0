"""One end of a socket is closed for good while others send to it and receive from it."""

import os
import signal
import socket

signal.signal(signal.SIGPIPE, signal.SIG_IGN)
a, b = socket.socketpair()
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        if number < 2:
            a.close()
            try:
                for _ in range(3):
                    b.send(b"x")
            except (BrokenPipeError, ConnectionResetError):
                pass
        elif number == 2:
            b.close()
            a.recv(1)
            a.close()
        else:
            a.close()
            try:
                b.recv(1)
            except ConnectionResetError:
                pass
        os._exit(0)
    children.append(pid)
a.close()
b.close()
print([os.waitpid(pid, 0)[1] for pid in children])
