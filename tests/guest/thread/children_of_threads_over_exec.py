"""Children of all threads are the children of the one that execs; none of them notices."""

import os
import sys
import threading

if len(sys.argv) > 1:
    os.close(62)
    ends = []
    for _ in range(4):
        pid, status = os.wait()
        ends.append((sys.argv.index(str(pid)), status >> 8))
    print(sorted(ends))
    try:
        os.wait()
    except ChildProcessError:
        print("that was all")
    sys.exit(0)
me = os.getpid()
hold = os.pipe()
os.dup2(hold[1], 62)
os.close(hold[1])
pids = []
told = os.pipe()


def child(code):
    pid = os.fork()
    if pid == 0:
        os.close(62)
        os.read(hold[0], 1)
        os._exit(code if os.getppid() == me else 99)
    pids.append(pid)


def parent_of_two(code):
    child(code)
    child(code + 1)
    os.write(told[1], b"t")
    os.read(hold[0], 1)


def execute():
    child(13)
    os.execv(sys.executable, [sys.executable, "-u", __file__] + [str(pid) for pid in pids])


child(10)
first = threading.Thread(target=parent_of_two, args=(11,))
first.start()
os.read(told[0], 1)
second = threading.Thread(target=execute)
second.start()
second.join()
