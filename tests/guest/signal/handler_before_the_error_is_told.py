"""EPIPE and EFBIG come with a signal: its handler prints before the exception's line is printed."""

import os
import resource
import signal


def handler(number, frame):
    print("handler", number)


def failing(fd):
    try:
        os.write(fd, b"x" * 20)
    except OSError as error:
        return error.errno
    return 0


signal.signal(signal.SIGPIPE, handler)
signal.signal(signal.SIGXFSZ, handler)
reader, broken = os.pipe()
os.close(reader)
try:
    os.write(broken, b"x")
except BrokenPipeError as error:
    print("error", error.errno)
print(failing(broken))

path = "limited.tmp"
full = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
os.unlink(path)
if os.fork() == 0:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    os.write(full, b"0123456789")
    try:
        os.write(full, b"x")
    except OSError as error:
        print("error", error.errno)
    try:
        os.ftruncate(full, 100)
    except OSError as error:
        print("error", error.errno)
    print(failing(full))
    os._exit(0)
os.wait()

for _ in range(2):
    try:
        os.write(broken, b"x")
    except BrokenPipeError:
        continue
print("uncaught")
os.write(broken, b"x")
