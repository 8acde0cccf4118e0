"""A parent of many children ends: who adopts them, and how long it takes.

Usage: ``python3 reparenting.py [children=100] [reaper=init]``

The children sleep until they have been adopted. With ``reaper=subreaper`` the program itself is a
child subreaper. Another process forks children of its own all the while, on another CPU.

Writes ``exit`` and the time in ns from the parent's last statement until it has been waited for,
``by_init`` and ``by_me`` and how many children each of them adopted, ``told`` and the time in ns
until all of them have said so.
"""

import mmap
import os
import sys
import time

from workloads import guest

DEFAULTS = {"children": "100", "reaper": "init"}
KINDS = {"children": "whole 1", "reaper": "one of init subreaper"}
ENOUGH = 0  # place of a word in memory

settings = dict(DEFAULTS)
for argument in sys.argv[1:]:
    name, _, value = argument.partition("=")
    settings[name] = value
children = int(settings["children"])
if settings["reaper"] == "subreaper":
    guest.set_child_subreaper()
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
go_reader, go_writer = os.pipe()
told_reader, told_writer = os.pipe()
ready_reader, ready_writer = os.pipe()
number_reader, number_writer = os.pipe()


bystander = os.fork()
if bystander == 0:
    os.close(go_writer)
    while guest.READ_ONCE(memory, ENOUGH) == 0:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    os._exit(0)
parent = os.fork()
if parent == 0:
    for _ in range(children):
        if os.fork() == 0:
            os.close(go_writer)
            os.write(ready_writer, b"r")
            os.read(go_reader, 1)
            os.write(told_writer, b"i" if os.getppid() == 1 else b"m")
            os._exit(0)
    for _ in range(children):
        os.read(ready_reader, 1)
    os.write(number_writer, str(time.monotonic_ns()).encode())
    os._exit(0)
os.waitpid(parent, 0)
ended = time.monotonic_ns()
took = ended - int(os.read(number_reader, 32).decode())
os.close(go_writer)
by_init = 0
for _ in range(children):
    by_init += os.read(told_reader, 1) == b"i"
reaped = 0
if settings["reaper"] == "subreaper":
    while reaped < children:
        if os.wait()[0] != bystander:
            reaped += 1
gone = time.monotonic_ns()
guest.WRITE_ONCE(memory, ENOUGH, 1)
os.waitpid(bystander, 0)
print("exit", took)
print("by_init", by_init)
print("by_me", children - by_init)
print("told", gone - ended)
