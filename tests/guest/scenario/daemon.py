"""The double fork of a daemon: it leads nothing and has another parent and session."""

import os
import sys

r, w = os.pipe()
top = os.getpid()
old_session = os.getsid(0)
first = os.fork()
if first == 0:
    os.setsid()
    middle = os.getpid()
    if os.fork() == 0:
        os.close(r)
        while os.getppid() == middle:
            os.sched_yield()
        os.umask(0)
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        print("nobody hears this")
        facts = [os.getsid(0) == middle, os.getpgrp() == middle, os.getpid() not in (top, middle)]
        facts += [os.getppid() not in (top, middle), os.getsid(0) != old_session]
        os.write(w, repr((facts, os.getcwd())).encode())
        try:
            os.setpgid(0, 0)
            os.write(w, b" a group of its own")
        except OSError as error:
            os.write(w, str(error).encode())
        sys.exit(3)
    os._exit(0)
os.close(w)
print(os.waitpid(first, 0)[1])
data = b""
while True:
    piece = os.read(r, 1000)
    if not piece:
        break
    data += piece
print(data.decode())
try:
    os.wait()
except ChildProcessError as error:
    print(error)
