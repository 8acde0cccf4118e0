"""Limits belong to the process: threads share them; fork and exec pass them on, once."""

import os
import resource
import sys
import threading

WHICH = (
    resource.RLIMIT_RTTIME,
    resource.RLIMIT_MSGQUEUE,
    resource.RLIMIT_RSS,
    resource.RLIMIT_SIGPENDING,
)


def show(who):
    limits = []
    for which in WHICH:
        limits.append(resource.getrlimit(which))
    print(who, limits)


def thread():
    resource.setrlimit(resource.RLIMIT_RSS, (0, 11))


if len(sys.argv) > 1:
    show("after exec")
    sys.exit(0)
for which in WHICH:
    resource.setrlimit(which, (1, 11))
thread_ = threading.Thread(target=thread)
thread_.start()
thread_.join()
show("parent")
pid = os.fork()
if pid == 0:
    show("child")
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (5, 6))
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(pid, 0)
show("parent")
pid = os.fork()
if pid == 0:
    read_end, write_end = os.pipe()
    grandchild = os.fork()
    if grandchild == 0:
        os.close(write_end)
        os.read(read_end, 1)
        show("changed by its parent")
        os._exit(0)
    print(resource.prlimit(grandchild, resource.RLIMIT_RTTIME, (3, 4)))
    print(resource.prlimit(grandchild, resource.RLIMIT_RTTIME))
    os.close(write_end)
    os.waitpid(grandchild, 0)
    show("its parent")
    os._exit(0)
os.waitpid(pid, 0)
