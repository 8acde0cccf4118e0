"""What sys.exit makes of values that are no small ints, and what os._exit refuses."""

import os
import sys


def leave(value):
    pid = os.fork()
    if pid == 0:
        os.dup2(1, 2)
        sys.exit(value)
    return os.waitpid(pid, 0)[1] >> 8


for value in (None, 0, 1, 255, 256, 257, -1, -256, 1 << 31, (1 << 32) + 5, 1 << 62, True, False):
    print(value, leave(value))
for value in (1 << 63, 1 << 64, -(1 << 63), -(1 << 63) - 1, (1 << 80) + 3):
    print(value, leave(value))
for value in ("text", "", "two\nlines", 1.5, [1, 2], (3,), (), b"bytes", {"a": 1}):
    print(repr(value), leave(value))
for value in (1 << 31, -(1 << 31) - 1, 1 << 70):
    try:
        os._exit(value)
    except OverflowError as error:
        print(error)
for value in ("1", None, 2.0):
    try:
        os._exit(value)
    except TypeError as error:
        print(error)
