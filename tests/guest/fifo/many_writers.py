"""Lines of several writers through one FIFO are whole; the end comes after the last."""

import os
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        w = os.open(path, os.O_WRONLY)
        for _ in range(25):
            os.write(w, bytes([97 + number]) * 63 + b"\n")
        os._exit(0)
    children.append(pid)
r = os.open(path, os.O_RDONLY)
data = b""
while True:
    piece = os.read(r, 4096)
    if piece:
        data += piece
    else:
        # a writer that opens later than the end is seen needs a reader that is still there
        for number in range(4):
            if children[number] and os.waitpid(children[number], os.WNOHANG)[0]:
                children[number] = 0
        if not [pid for pid in children if pid]:
            break
        os.sched_yield()
lines = data.split(b"\n")[:-1]
print(len(lines), all([len(set(line)) == 1 and len(line) == 63 for line in lines]))
print([data.count(bytes([97 + number])) for number in range(4)])
os.unlink(path)
