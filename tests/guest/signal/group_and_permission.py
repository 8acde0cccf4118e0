"""A signal to a group or to all is sent if one member may be signalled; others do not get it."""

import os
import signal

ready = os.pipe()


def member(uid, group):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, group)
        os.setuid(uid)
        os.write(ready[1], b"r")
        while True:
            signal.pause()
    os.read(ready[0], 1)
    return pid


def attempt(uid, pid, number):
    sender = os.fork()
    if sender == 0:
        os.setuid(uid)
        try:
            os.kill(pid, number)
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    return os.waitpid(sender, 0)[1] >> 8


first = member(31001, 0)
second = member(31002, first)
third = member(31003, first)
print("stranger", attempt(31009, -first, 0), attempt(31009, -first, signal.SIGTERM))
print("stranger, no such signal", attempt(31009, -first, 65))
print("one of them", attempt(31002, -first, signal.SIGTERM))
print("it is dead", os.waitpid(second, 0)[1], os.waitpid(first, os.WNOHANG))
print("now a stranger", attempt(31002, -first, 0))
print("to all: own ones", attempt(31003, -1, signal.SIGTERM), os.waitpid(third, 0)[1])
print("to all: nobody's", attempt(31003, -1, 0))
print("the rest", os.waitpid(first, os.WNOHANG), attempt(31001, -1, signal.SIGKILL))
print(os.waitpid(first, 0)[1])
