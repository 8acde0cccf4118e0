"""Two threads of a tracer wait for one zombie that is another's child: one of them takes it."""

import os
import threading

from workloads import guest

WALL = 0x40000000
taken = []


def take(pid):
    try:
        taken.append(os.waitpid(pid, WALL)[1])
    except ChildProcessError:
        pass


gate_read, gate_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(gate_read, 1)
    os._exit(3)
tracer = os.fork()
if tracer == 0:
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    thread = threading.Thread(target=take, args=(pid,))
    thread.start()
    os.write(gate_write, b"!")
    take(pid)
    thread.join()
    os._exit(len(taken))
reaped, status = os.waitpid(pid, 0)
print("one of them", os.waitpid(tracer, 0)[1] >> 8, "then its parent", reaped == pid, status >> 8)
