"""The leader and the last thread leave at once: one status, one report, whoever is last."""

import os
import threading

from workloads import guest


def leave(gate):
    os.read(gate, 1)
    guest.exit_thread(3)


gate_read, gate_write = os.pipe()
pid = os.fork()
if pid == 0:
    threading.Thread(target=leave, args=(gate_read,)).start()
    os.write(gate_write, b"g")
    guest.exit_thread(7)
reaped, status = os.waitpid(pid, 0)
print("one report", reaped == pid, "of either", status >> 8 in (3, 7), status & 0xFF)
try:
    os.waitpid(pid, 0)
except ChildProcessError:
    print("and no other")
