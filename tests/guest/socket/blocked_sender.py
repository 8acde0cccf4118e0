"""A sender that fills the buffer sleeps until the reader makes room, and loses nothing."""

import os
import socket

a, b = socket.socketpair()
pid = os.fork()
if pid == 0:
    a.close()
    total = 0
    sum_of = 0
    while True:
        data = b.recv(50000)
        if not data:
            break
        total += len(data)
        sum_of += sum(data)
    print("child read", total, sum_of)
    os._exit(0)
b.close()
block = bytes(range(256)) * 1000
for _ in range(4):
    a.sendall(block)
print(a.send(b"end"))
a.close()
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
