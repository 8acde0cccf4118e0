"""One thread execs while another ends the process: it is one or the other."""

import os
import threading


def execute(gate):
    os.read(gate, 1)
    os.execv("/bin/true", ["true"])


gate_read, gate_write = os.pipe()
pid = os.fork()
if pid == 0:
    threading.Thread(target=execute, args=(gate_read,)).start()
    os.write(gate_write, b"g")
    os._exit(5)
reaped, status = os.waitpid(pid, 0)
print("one or the other", reaped == pid, status in (0, 5 << 8))
