"""Ways for a handler to end its process."""

import os
import signal
import sys
import time


def leaves(number, frame):
    os._exit(3)


def exits(number, frame):
    sys.exit(4)


def fails(number, frame):
    raise KeyError("in the handler")


def dies(number, frame):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
    print("not reached")


def aborts(number, frame):
    os.abort()


def execs(number, frame):
    os.execv("/bin/sh", ["sh", "-c", "exit 7"])


for name, handler in (
    ("leaves", leaves),
    ("exits", exits),
    ("fails", fails),
    ("dies", dies),
    ("aborts", aborts),
    ("execs", execs),
):
    for where in ("sleep", "loop"):
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(2)
            signal.signal(signal.SIGUSR1, handler)
            signal.signal(signal.SIGABRT, exits)
            try:
                os.write(write_end, b"x")
                if where == "sleep":
                    time.sleep(5)
                while True:
                    pass
            finally:
                print("finally")
        os.read(read_end, 1)
        time.sleep(0.05)
        os.kill(pid, signal.SIGUSR1)
        print(name, where, os.waitpid(pid, 0)[1])
        os.close(read_end)
        os.close(write_end)
