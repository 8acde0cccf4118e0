"""exec in a thread: the other threads are gone, the process keeps its pid, nobody is told."""

import os
import sys
import threading

from workloads import guest


def sleep_for_ever(fd):
    os.read(fd, 1)
    os._exit(77)


def execute(pid):
    tid = guest.gettid()
    arguments = [sys.executable, "-u", __file__, str(pid), str(tid)]
    os.execv(sys.executable, arguments)


def process():
    gate = os.pipe()
    for _ in range(3):
        threading.Thread(target=sleep_for_ever, args=(gate[0],)).start()
    threading.Thread(target=execute, args=(os.getpid(),)).start()
    os.read(gate[0], 1)
    os._exit(78)


if len(sys.argv) > 1:
    print("same pid", os.getpid() == int(sys.argv[1]), "other thread", sys.argv[1] != sys.argv[2])
    print("it leads now", guest.gettid() == os.getpid())
    sys.exit(30)
pid = os.fork()
if pid == 0:
    process()
reaped, status = os.waitpid(pid, 0)
print("reaped", reaped == pid, status >> 8)
