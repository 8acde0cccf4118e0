"""A signal that meets the exchange of thread ids in exec finds the process all the same."""

import os
import signal
import threading


def execute(gate):
    os.read(gate, 1)
    os.execv("/bin/sleep", ["sleep", "100"])


gate_read, gate_write = os.pipe()
pid = os.fork()
if pid == 0:
    never_read, never_write = os.pipe()
    threading.Thread(target=execute, args=(gate_read,)).start()
    os.read(never_read, 1)
    os._exit(6)
os.write(gate_write, b"g")
for _ in range(8):
    os.kill(pid, 0)
os.kill(pid, signal.SIGKILL)
reaped, status = os.waitpid(pid, 0)
print("killed", reaped == pid, status == signal.SIGKILL)
