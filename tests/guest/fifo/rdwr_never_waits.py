"""O_RDWR opens a FIFO without a partner; what is written can be read back, without end."""

import os
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)
both = os.open(path, os.O_RDWR)
print(os.write(both, b"self"), os.read(both, 10))
os.set_blocking(both, False)
try:
    os.read(both, 1)
except BlockingIOError:
    print("no end of file while a writer is there")
w = os.open(path, os.O_WRONLY)
r = os.open(path, os.O_RDONLY)
os.write(w, b"left behind")
os.close(both)
os.close(w)
print(os.read(r, 4))
os.close(r)
r = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
print("what nobody read is gone:", os.read(r, 20))
os.close(r)
os.unlink(path)
