"""A forked child that runs off the end of the program ends as a program does, at any depth."""

import os

depth = 0
while depth < 5:
    pid = os.fork()
    if pid:
        break
    depth += 1
if depth < 5:
    status = os.waitpid(pid, 0)[1]
    print("at depth", depth, status)
    if depth % 2:
        raise SystemExit(depth)
