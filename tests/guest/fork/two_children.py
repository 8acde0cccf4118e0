"""Two children at a time, waited for in either order, over and over (xv6 twochildren)."""

import os

wrong = 0
for turn in range(60):
    first = os.fork()
    if first == 0:
        os._exit(turn)
    second = os.fork()
    if second == 0:
        os._exit(100 + turn)
    order = (first, second) if turn % 3 else (second, first)
    for pid in order:
        expected = turn if pid == first else 100 + turn
        if os.waitpid(pid, 0) != (pid, expected << 8):
            wrong += 1
print("wrong", wrong)
