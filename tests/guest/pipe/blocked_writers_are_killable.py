"""Two children that sleep in write() on a full pipe die of a signal; their data are not in it."""

import os
import signal

r, w = os.pipe()
os.set_blocking(w, False)
total = 0
try:
    while True:
        total += os.write(w, b"p" * 4096)
except BlockingIOError:
    print(total)
os.set_blocking(w, True)
pids = []
for number in (signal.SIGTERM, signal.SIGKILL):
    pid = os.fork()
    if pid == 0:
        os.write(w, b"c" * 4096)
        os._exit(0)
    pids.append((pid, number))
for pid, number in pids:
    os.kill(pid, number)
for pid, number in pids:
    status = os.waitpid(pid, 0)[1]
    print(os.WIFSIGNALED(status) and os.WTERMSIG(status) == number)
os.close(w)
rest = 0
while True:
    data = os.read(r, 65536)
    if not data:
        break
    rest += data.count(b"p")
    if b"c" in data:
        print("a killed writer's data")
print(rest)
