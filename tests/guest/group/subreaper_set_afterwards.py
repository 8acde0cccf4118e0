"""A process that becomes a subreaper gets orphans of descendants made before; exec keeps it one."""

import os
import sys

from workloads import guest

gate, last, tell = os.pipe(), os.pipe(), os.pipe()


def chain(depth):
    """Make a chain of processes that end when told to; the last one says who its parent is."""
    if os.fork() == 0:
        if depth:
            chain(depth - 1)
            os.write(tell[1], b"r")
            os.read(gate[0], 1)
        else:
            os.read(last[0], 1)
            os.write(tell[1], str(os.getppid()).encode())
        os._exit(20 + depth)


if len(sys.argv) > 1:
    print("after exec", guest.prctl(guest.PR_GET_CHILD_SUBREAPER))
    if os.fork() == 0:
        if os.fork() == 0:
            while os.getppid() != int(sys.argv[1]):
                os.sched_yield()
            os._exit(7)
        os._exit(6)
    print(sorted((os.wait()[1] >> 8, os.wait()[1] >> 8)))
    sys.exit(0)
chain(2)
os.read(tell[0], 1)
os.read(tell[0], 1)
guest.set_child_subreaper()
os.write(gate[1], b"xx")
print(sorted((os.wait()[1] >> 8, os.wait()[1] >> 8)))
os.write(last[1], b"x")
print("my orphan", int(os.read(tell[0], 20)) == os.getpid(), os.wait()[1] >> 8)
os.execv(sys.executable, [sys.executable, "-u", __file__, str(os.getpid())])
