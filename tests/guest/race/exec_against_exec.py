"""Two threads exec at once: one program runs, under the same pid, and its parent sees one end."""

import os
import sys
import threading


def execute(gate, name):
    os.read(gate, 1)
    os.execv(sys.executable, [sys.executable, "-u", __file__, str(os.getpid()), name])


if len(sys.argv) > 1:
    if os.getpid() != int(sys.argv[1]):
        sys.exit(1)
    sys.exit(30 + int(sys.argv[2]))
gate_read, gate_write = os.pipe()
pid = os.fork()
if pid == 0:
    threading.Thread(target=execute, args=(gate_read, "1")).start()
    threading.Thread(target=execute, args=(gate_read, "2")).start()
    os.write(gate_write, b"ggg")  # not before both threads are there
    execute(gate_read, "3")
reaped, status = os.waitpid(pid, 0)
print("one of them ran", reaped == pid, status >> 8 in (31, 32, 33), status & 0xFF)
