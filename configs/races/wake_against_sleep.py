"""A reader goes to sleep on a pipe while a writer wakes it: no byte is left unread."""

import os

ROUNDS = 2

to_child, from_parent = os.pipe()
to_parent, from_child = os.pipe()
pid = os.fork()
if pid == 0:
    for _ in range(ROUNDS):
        os.write(from_child, os.read(to_child, 1))
    os._exit(0)
got = []
for number in range(ROUNDS):
    os.write(from_parent, bytes([number]))
    got.append(os.read(to_parent, 1)[0])
os.waitpid(pid, 0)
print("came back", got)
