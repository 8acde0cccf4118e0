"""A subreaper that ignores SIGCHLD has inherited zombies reaped at once."""

import os
import signal

from workloads import guest

guest.set_child_subreaper()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
tell, gate = os.pipe(), os.pipe()
middle = os.fork()
if middle == 0:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    dead = os.fork()
    if dead == 0:
        os._exit(1)
    os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)
    alive = os.fork()
    if alive == 0:
        os.close(gate[1])
        os.read(gate[0], 1)
        os._exit(2)
    os.write(tell[1], f"{dead} {alive}".encode())
    os._exit(3)
dead, alive = os.read(tell[0], 100).split()
while True:
    try:
        os.kill(int(dead), 0)
        os.sched_yield()
    except ProcessLookupError:
        break
print("the zombie is gone")
os.kill(int(alive), 0)
os.close(gate[1])
try:
    print(os.wait())
except ChildProcessError as error:
    print(error)
while True:  # a child that is dead is no child for wait() a moment before its pid is free
    try:
        os.kill(int(alive), 0)
        os.sched_yield()
    except ProcessLookupError:
        break
print("the other too")
