"""O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_APPEND and the access modes of open, on every kind."""

import os
import time

base = f"/tmp/open{time.time_ns()}"
os.mkdir(base)
os.chdir(base)


def tried(path, flags, mode=0o777):
    try:
        fd = os.open(path, flags, mode)
    except OSError as error:
        print(error.errno, path)
        return
    print("ok", path, f"{os.fstat(fd).st_mode:o}")
    for what in ("read", "write"):
        try:
            if what == "read":
                os.read(fd, 1)
            else:
                os.write(fd, b"")
            print("  can", what)
        except OSError as error:
            print("  ", what, error.errno)
    os.close(fd)


os.mkdir("d")
os.mkfifo("p")
tried("f", os.O_RDONLY)
tried("f", os.O_RDONLY | os.O_CREAT, 0o644)
tried("f", os.O_RDWR | os.O_CREAT | os.O_EXCL)
tried("f", os.O_WRONLY)
tried("f", os.O_RDWR)
tried("f", 3)
tried("f", os.O_RDONLY | os.O_DIRECTORY)
tried("f/", os.O_RDONLY)
tried("g/", os.O_RDWR | os.O_CREAT)
tried("d", os.O_RDONLY)
tried("d", os.O_RDONLY | os.O_DIRECTORY)
tried("d", os.O_RDWR)
tried("d", os.O_RDONLY | os.O_CREAT)
tried("d", os.O_RDONLY | os.O_CREAT | os.O_EXCL)
tried("d", os.O_RDONLY | os.O_TRUNC)
tried("d/", os.O_RDONLY)
tried("d", os.O_DIRECTORY | os.O_CREAT)
tried("p", os.O_RDONLY | os.O_NONBLOCK | os.O_DIRECTORY)
tried("p", os.O_RDONLY | os.O_NONBLOCK | os.O_TRUNC)
tried("/dev/null", os.O_RDWR | os.O_TRUNC)
tried("/dev/zero", os.O_RDWR)
tried("/dev/full", os.O_RDWR)
tried("nothing/f", os.O_WRONLY | os.O_CREAT)
tried("x" * 255, os.O_WRONLY | os.O_CREAT)
tried("x" * 256, os.O_WRONLY | os.O_CREAT)
os.umask(0o077)
tried("masked", os.O_WRONLY | os.O_CREAT, 0o7777)
