"""A child's group can be set until it has called exec, and by itself for ever."""

import os
import sys

if len(sys.argv) > 1:
    before = os.getpgrp()
    os.setpgid(0, 0)
    print("by itself", before != os.getpgrp() == os.getpid())
    os.write(71, b"e")
    os.read(70, 1)
    sys.exit(0)
gate, ready, other = os.pipe(), os.pipe(), os.pipe()
first = os.fork()
if first == 0:
    os.dup2(gate[0], 70)
    os.dup2(ready[1], 71)
    os.write(ready[1], b"f")
    os.read(gate[0], 1)
    os.execv(sys.executable, [sys.executable, "-u", __file__, "x"])
os.read(ready[0], 1)
second = os.fork()
if second == 0:
    os.read(other[0], 1)
    os._exit(0)
os.setpgid(second, second)
os.setpgid(first, second)
print("before", os.getpgid(first) == second)
os.setpgid(first, os.getpgrp())
os.write(gate[1], b"x")
os.read(ready[0], 1)
for group in (0, first, os.getpgrp(), 999999, -1):
    try:
        os.setpgid(first, group)
        print("set")
    except OSError as error:
        print(error.errno)
os.write(gate[1], b"x")
os.write(other[1], b"x")
print(os.waitpid(first, 0)[1], os.waitpid(second, 0)[1])
try:
    os.setpgid(first, 0)
except OSError as error:
    print(error.errno)
