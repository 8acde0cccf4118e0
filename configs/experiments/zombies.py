"""A parent that does not wait, until no process can be made any more; then one that does.

Usage: ``python3 zombies.py [parent=careless]``

Writes ``made`` and how many children there were before fork() failed (at most MOST), ``errno`` and
why it failed (0: it did not). Then a careless parent waits for its first child, and later for its
last: ``low`` and ``high`` and 1 if fork() works after that.
"""

import os
import sys

DEFAULTS = {"parent": "careless"}
KINDS = {"parent": "one of careless careful"}
MOST = 5000


def can_fork():
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError:
        return 0
    return 1


careful = len(sys.argv) > 1 and sys.argv[1] == "parent=careful"
made = 0
error = 0
first = 0
pid = 0
while made < MOST and not error:
    try:
        child = os.fork()
    except OSError as failed:
        error = failed.errno
        continue
    pid = child
    if pid == 0:
        os._exit(0)
    made += 1
    first = first or pid
    if careful:
        os.waitpid(pid, 0)
low = high = 1
if not careful:
    os.waitpid(first, 0)
    low = can_fork()
    os.waitpid(pid, 0)
    high = can_fork()
print("made", made)
print("errno", error)
print("low", low)
print("high", high)
