"""F_SETPIPE_SZ rounds up to a power of two pages, refuses what does not fit, wakes a writer."""

import fcntl
import os

r, w = os.pipe()
print(fcntl.fcntl(r, fcntl.F_GETPIPE_SZ))
for size in (1, 4096, 4097, 12000, 65536, 100000, 1 << 20):
    print(size, fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, size), fcntl.fcntl(r, fcntl.F_GETPIPE_SZ))
print(fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 0))
try:
    fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, (1 << 31) + 1)
except OSError as error:
    print(error)
fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 8192)
os.set_blocking(w, False)
print(os.write(w, bytes(10000)))
try:
    fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
except OSError as error:
    print(error)
print(len(os.read(r, 4096)), fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096))
try:
    os.write(w, b"x")
except BlockingIOError as error:
    print(error.errno)
os.set_blocking(w, True)
pid = os.fork()
if pid == 0:
    os._exit(os.write(w, b"room"))
print(fcntl.fcntl(r, fcntl.F_SETPIPE_SZ, 8192))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), len(os.read(r, 10000)))
null = os.open("/dev/null", os.O_RDWR)
try:
    fcntl.fcntl(null, fcntl.F_GETPIPE_SZ)
except OSError as error:
    print(error)
pid = os.fork()
if pid == 0:
    os.setuid(1000)
    for size in (1 << 20, 1 << 21):
        try:
            print(fcntl.fcntl(r, fcntl.F_SETPIPE_SZ, size))
        except OSError as error:
            print(error)
    os._exit(0)
os.waitpid(pid, 0)
