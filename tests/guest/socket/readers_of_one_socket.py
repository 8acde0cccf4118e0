"""Several sleeping readers of one stream socket: each byte goes to one, the end to all."""

import os
import socket

a, b = socket.socketpair()
report_r, report_w = os.pipe()
pids = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        a.close()
        count = 0
        while b.recv(1):
            count += 1
        os.write(report_w, bytes([count]))
        os._exit(0)
    pids.append(pid)
b.close()
for _ in range(40):
    a.send(b".")
a.close()
total = 0
for pid in pids:
    total += os.waitpid(pid, 0)[1]
print(total, sum(os.read(report_r, 10)))
