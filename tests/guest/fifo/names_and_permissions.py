"""mkfifo applies the umask and refuses what exists; a FIFO is renamed and removed like any file."""

import os
import time

base = f"/tmp/fifo{time.time_ns()}"


def tried(name, mode=0o666):
    try:
        os.mkfifo(name, mode)
        print("made", f"{os.stat(name).st_mode:o}")
    except OSError as error:
        print(error, error.filename)


old = os.umask(0o027)
tried(base)
os.umask(0)
tried(base + "b", 0o7777)
os.umask(old)
tried(base)
tried(base + "/x")
tried(base + "c/")
tried(base + "d/e")
tried("")
os.rename(base, base + "2")
os.unlink(base + "b")
r = os.open(base + "2", os.O_RDONLY | os.O_NONBLOCK)
os.unlink(base + "2")
print(f"{os.fstat(r).st_mode:o}", os.fstat(r).st_nlink)
try:
    os.lseek(r, 0, os.SEEK_SET)
except OSError as error:
    print(error.errno)
try:
    os.ftruncate(r, 0)
except OSError as error:
    print(error.errno)
os.mkfifo(base + "3", 0o600)
if os.fork() == 0:
    os.setgid(1000)
    os.setuid(1000)
    for flags in (os.O_RDONLY | os.O_NONBLOCK, os.O_RDWR):
        try:
            os.open(base + "3", flags)
        except PermissionError as error:
            os.write(1, b"%d\n" % error.errno)
    try:
        os.unlink(base + "3")
    except PermissionError as error:
        os.write(1, b"%d\n" % error.errno)
    os._exit(0)
os.wait()
os.unlink(base + "3")
