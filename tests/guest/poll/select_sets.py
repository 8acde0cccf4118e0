"""select: what is ready in each set, in the order given; what is closed, negative or too large."""

import os
import select
import socket

r, w = os.pipe()
a, b = socket.socketpair()
e = os.eventfd(1)
names = {r: "r", w: "w", e: "e"}


def show(ready):
    rows = []
    for items in ready:
        row = []
        for item in items:
            if isinstance(item, int):
                row.append(names[item])
            else:
                row.append("socket")
        rows.append(row)
    print(rows)


show(select.select([r, e, a], [w, a, e], [r, w, a], 0))
os.write(w, b"x")
a.send(b"x")
show(select.select([e, b, r, r], [], [], 0))
show(select.select((r,), (), (), None))
os.close(r)
show(select.select([], [w], [w], 0))
try:
    select.select([r], [], [], 0)
except OSError as error:
    print(error)
for bad in ([-1], [1024], ["x"], 5):
    try:
        select.select(bad, [], [], 0)
    except (ValueError, TypeError) as error:
        print(error)
b.close()
show(select.select([a], [a], [a], 0))
