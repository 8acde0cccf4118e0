"""A tracer attaches to a process that execs while its threads die: before or after, not between."""

import os
import sys
import threading

from workloads import guest


def sleep_on(gate):
    os.read(gate, 1)


def execute(gate, ready):
    os.write(ready, b"r")
    threading.Thread(target=sleep_on, args=(gate,)).start()
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])


if len(sys.argv) > 1:
    sys.exit(7)
gate_read, gate_write = os.pipe()
ready_read, ready_write = os.pipe()
pid = os.fork()
if pid == 0:
    for _ in range(2):
        threading.Thread(target=sleep_on, args=(gate_read,)).start()
    execute(gate_read, ready_write)
os.read(ready_read, 1)
attached = 0
try:
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    attached = 1
except PermissionError:
    pass
status = 0
while True:
    reaped, status = os.waitpid(pid, 0)
    if not os.WIFSTOPPED(status):
        break
    guest.ptrace(guest.PTRACE_CONT, pid, 0, 0)
print("it ran", reaped == pid, status >> 8, status & 0xFF)
