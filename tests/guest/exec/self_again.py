"""A program that execs itself keeps pid, group and parent, and loses what is close-on-exec."""

import os
import sys

if len(sys.argv) == 1:
    read_end, write_end = os.pipe()
    read_end = os.dup2(read_end, 100)
    os.write(write_end, b"still here")
    words = [os.getpid(), os.getppid(), os.getpgrp(), os.getsid(0), read_end, write_end]
    arguments = [sys.executable, "-u", __file__]
    for word in words:
        arguments.append(str(word))
    print("before", len(arguments))
    os.execv(sys.executable, arguments)
pid, parent, group, session, read_end, write_end = [int(word) for word in sys.argv[1:]]
print("same pid", os.getpid() == pid, "parent", os.getppid() == parent)
print("group", os.getpgrp() == group, "session", os.getsid(0) == session)
print("inherited:", os.read(read_end, 100))
print("its end of file:", os.read(read_end, 100))
try:
    os.write(write_end, b"x")
except OSError as error:
    print("closed by exec:", error.errno)
sys.exit(9)
