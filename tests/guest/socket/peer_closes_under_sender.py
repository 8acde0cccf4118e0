"""The peer closes while a sender sleeps: ECONNRESET if data were unread, or a short count."""

import os
import socket
import time


def fill(sock):
    sock.setblocking(False)
    while True:
        try:
            sock.send(bytes(65536))
        except BlockingIOError:
            break
    sock.setblocking(True)


a, b = socket.socketpair()
fill(a)
pid = os.fork()
if pid == 0:
    a.close()
    time.sleep(0.1)
    os._exit(0)
b.close()
for _ in range(2):
    try:
        a.send(b"y")
    except OSError as error:
        print("nothing sent:", error)
print(a.recv(1))
os.waitpid(pid, 0)
a.close()
a, b = socket.socketpair()
pid = os.fork()
if pid == 0:
    a.close()
    time.sleep(0.1)
    os._exit(0)
b.close()
print("partly:", a.send(bytes(1000000)))
try:
    a.send(b"y")
except OSError as error:
    print(error)
os.waitpid(pid, 0)
