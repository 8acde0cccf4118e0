"""Of several subreapers the nearest living ancestor gets the orphan; a dead one is passed over."""

import os

from workloads import guest

NAMES = ["top", "A", "B", "C", "D"]
SUBREAPERS = ["top", "A", "C"]
tell, ask = os.pipe(), os.pipe()
gates = [os.pipe(), os.pipe(), os.pipe(), os.pipe(), os.pipe()]
chain = [os.getpid()]


def orphan():
    parent = os.getppid()
    while True:
        os.write(tell[1], NAMES[chain.index(parent)].encode())
        os.read(ask[0], 1)
        while os.getppid() == parent:
            os.sched_yield()
        parent = os.getppid()
        if parent == chain[0]:
            break
    os.write(tell[1], b"top")
    os._exit(0)


def descend(depth):
    """Be the process NAMES[depth]; the last one's child is the orphan."""
    if NAMES[depth] in SUBREAPERS:
        guest.set_child_subreaper()
    pid = os.fork()
    if pid == 0:
        if depth == 4:
            orphan()
        chain.append(os.getpid())
        descend(depth + 1)
    if depth:
        os.read(gates[depth][0], 1)
        os._exit(depth)
    return pid


child = descend(0)
print("first", os.read(tell[0], 9))
for depth in (4, 3, 2, 1):
    os.write(gates[depth][1], b"x")
    if depth == 2:
        print("B dies, which is none of its ancestors now")
        continue
    os.write(ask[1], b"x")
    print(NAMES[depth], "dies", os.read(tell[0], 9))
ends = []
for _ in range(2):
    ends.append(os.wait()[1])
print(sorted(ends))
