"""Two processes that write through one open file never overwrite each other."""

import os
import time

path = f"/tmp/shared-{time.time_ns()}"
fd = os.open(path, os.O_CREAT | os.O_RDWR)
pid = os.fork()
letter = b"c" if pid == 0 else b"p"
for _ in range(100):
    os.write(fd, letter * 10)
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
size = os.lseek(fd, 0, os.SEEK_CUR)
os.lseek(fd, 0, os.SEEK_SET)
data = os.read(fd, 5000)
print(size, len(data), data.count(b"c"), data.count(b"p"))
whole = [data[i : i + 10] in (b"c" * 10, b"p" * 10) for i in range(0, 2000, 10)]
print(all(whole))
os.unlink(path)
