"""SIGINT raises KeyboardInterrupt in Python; uncaught, the process dies by SIGINT."""

import os
import signal
import sys
import time

try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("caught")


def child(what):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(2)
        if what == "exit in handler of it":
            try:
                os.write(write_end, b"x")
                time.sleep(5)
            except KeyboardInterrupt:
                sys.exit(9)
        if what == "raised":
            os.write(write_end, b"x")
            raise KeyboardInterrupt
        if what == "ignored":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if what == "default":
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        if what == "blocked":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            os.write(write_end, b"x")
            raise KeyboardInterrupt
        os.write(write_end, b"x")
        time.sleep(0.5)
        os._exit(3)
    os.read(read_end, 1)
    time.sleep(0.1)
    os.kill(pid, signal.SIGINT)
    print(what, os.waitpid(pid, 0)[1])
    os.close(read_end)
    os.close(write_end)


for what in ("plain", "exit in handler of it", "raised", "ignored", "default", "blocked"):
    child(what)
