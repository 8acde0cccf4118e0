"""In a chain of processes that die from the top each survivor gets a new parent once."""

import os

DEPTH = 6
gates = [os.pipe(), os.pipe(), os.pipe(), os.pipe(), os.pipe(), os.pipe()]
report, ready = os.pipe(), os.pipe()


def link(depth):
    if depth < DEPTH and os.fork() == 0:
        link(depth + 1)
    if depth == 0:
        for _ in range(DEPTH):
            os.read(ready[0], 1)
    if depth > 0:
        mine = os.getppid()
        os.write(ready[1], b"r")
        os.read(gates[depth - 1][0], 1)
        while os.getppid() == mine:
            os.sched_yield()
        init = os.getppid()
        os.write(report[1], b"%d" % depth if init != mine else b"?")
    os._exit(depth)


top = os.fork()
if top == 0:
    link(0)
print(os.waitpid(top, 0)[1])
for depth in range(DEPTH):
    os.write(gates[depth][1], b"x")
    print(os.read(report[0], 1))
