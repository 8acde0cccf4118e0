"""O_NONBLOCK opens a FIFO for reading at once and refuses a writer without reader (ENXIO)."""

import errno
import os
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)


def tried(flags):
    try:
        return os.open(path, flags)
    except OSError as error:
        print(error.errno, error.filename == path)
        return -1


print(tried(os.O_WRONLY | os.O_NONBLOCK))
print(errno.ENXIO)
r = tried(os.O_RDONLY | os.O_NONBLOCK)
print(r > 2, os.read(r, 10))
w = tried(os.O_WRONLY | os.O_NONBLOCK)
print(w > r, os.get_blocking(r), os.get_blocking(w))
try:
    os.read(r, 10)
except BlockingIOError as error:
    print("empty:", error)
print(os.write(w, b"abc"), os.read(r, 10))
os.close(r)
try:
    os.write(w, b"x")
except BrokenPipeError as error:
    print(error)
r = tried(os.O_RDONLY | os.O_NONBLOCK)
print(os.write(w, b"again"), os.read(r, 10))
os.close(w)
print(os.read(r, 10))
os.close(r)
os.unlink(path)
try:
    os.open(path, os.O_RDONLY)
except FileNotFoundError as error:
    print(error.errno)
