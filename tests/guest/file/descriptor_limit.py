"""At RLIMIT_NOFILE every kind of file gives EMFILE, and a freed number is found again."""

import os
import resource
import select
import socket
import time

resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))
path = f"/tmp/limit{time.time_ns()}"
os.mkfifo(path)
fds = []
while True:
    try:
        fds.append(os.dup(0))
    except OSError as error:
        print(error)
        break
print(max(fds))


def tried(what):
    try:
        if what == "open":
            os.open("/dev/null", os.O_RDONLY)
        elif what == "missing":
            os.open("/nothing", os.O_RDONLY)
        elif what == "fifo":
            os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        elif what == "pipe":
            os.pipe()
        elif what == "socketpair":
            socket.socketpair()
        elif what == "eventfd":
            os.eventfd(0)
        elif what == "pidfd":
            os.pidfd_open(os.getpid())
        elif what == "listdir":
            os.listdir("/")
        elif what == "dup2":
            print(os.dup2(0, 11), os.dup2(0, 12))
    except OSError as error:
        print(what, error.errno, error.filename in ("/dev/null", "/nothing", "/", path))


for what in (
    "open",
    "missing",
    "fifo",
    "pipe",
    "socketpair",
    "eventfd",
    "pidfd",
    "listdir",
    "dup2",
):
    tried(what)
os.close(7)
tried("pipe")
tried("socketpair")
print(os.eventfd(0))
poll = select.poll()
for number in range(13):
    poll.register(number, 0)
try:
    print(len(poll.poll(0)))
except OSError as error:
    print(error.errno)
poll.unregister(12)
print(len(poll.poll(0)))
os.unlink(path)
