"""Two processes open both ends of a FIFO at the same time, again and again: both always get in."""

import os
import time

path = f"/tmp/race{time.time_ns()}"
os.mkfifo(path)
pid = os.fork()
if pid == 0:
    for _ in range(5):
        w = os.open(path, os.O_WRONLY)
        os.write(w, b"x")
        os.close(w)
        os.close(os.open(path, os.O_RDONLY))
    os._exit(0)
got = 0
for _ in range(5):
    r = os.open(path, os.O_RDONLY)
    got += len(os.read(r, 10))
    os.close(r)
    w = os.open(path, os.O_WRONLY)
    os.close(w)
print(got, os.waitpid(pid, 0)[1])
os.unlink(path)
