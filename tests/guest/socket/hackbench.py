"""hackbench in small: groups of senders and receivers over socket pairs; every message arrives."""

import os
import socket

groups = 3
pairs = 4
messages = 10
report_r, report_w = os.pipe()
pids = []
for _ in range(groups):
    socks = []
    for _ in range(pairs):
        socks.append(socket.socketpair())
    for _, b in socks:
        pid = os.fork()
        if pid == 0:
            for x, y in socks:
                x.close()
                if y.fileno() != b.fileno():
                    y.close()
            got = 0
            while True:
                data = b.recv(100)
                if not data:
                    break
                got += len(data)
            os.write(report_w, b"%d\n" % got)
            os._exit(0)
        pids.append(pid)
    for _ in range(pairs):
        pid = os.fork()
        if pid == 0:
            for _ in range(messages):
                for a, _ in socks:
                    a.send(bytes(100))
            os._exit(0)
        pids.append(pid)
    for a, b in socks:
        a.close()
        b.close()
for pid in pids:
    if os.waitpid(pid, 0)[1]:
        print("a child failed")
os.close(report_w)
print(os.read(report_r, 4096))
