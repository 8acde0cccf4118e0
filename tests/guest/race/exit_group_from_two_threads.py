"""All threads end the process at once, each with its own code: one of the codes, once."""

import os
import threading


def end(gate, code):
    os.read(gate, 1)
    os._exit(code)


gate_read, gate_write = os.pipe()
pid = os.fork()
if pid == 0:
    for code in (41, 42, 43):
        threading.Thread(target=end, args=(gate_read, code)).start()
    os.write(gate_write, b"ggg")
    os._exit(44)
reaped, status = os.waitpid(pid, 0)
print("one code", reaped == pid, 41 <= status >> 8 <= 44, status & 0xFF)
