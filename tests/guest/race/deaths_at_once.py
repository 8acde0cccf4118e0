"""Many children die at once: a loop of waits gets all of them, each with its status."""

import os

gate_read, gate_write = os.pipe()
wanted = {}
for number in range(8):
    pid = os.fork()
    if pid == 0:
        os.close(gate_write)
        os.read(gate_read, 1)
        os._exit(number + 1)
    wanted[pid] = (number + 1) << 8
os.close(gate_write)
got = {}
while len(got) < len(wanted):
    pid, status = os.waitpid(-1, os.WNOHANG)
    if pid == 0:
        pid, status = os.waitpid(-1, 0)
    assert pid not in got
    got[pid] = status
print("all", sorted(got.items()) == sorted(wanted.items()))
