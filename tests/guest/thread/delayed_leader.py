"""A leader that leaves first is a zombie nobody can wait for until its last thread is gone."""

import os
import threading
import time

from workloads import guest


def stay(gate, done):
    os.write(done, b"t")
    os.read(gate, 1)
    guest.exit_thread(9)


gate_read, gate_write = os.pipe()
done_read, done_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(gate_write)
    threading.Thread(target=stay, args=(gate_read, done_write)).start()
    guest.exit_thread(7)
os.read(done_read, 1)
time.sleep(0.05)
print("leader gone, thread left", os.waitpid(pid, os.WNOHANG))
os.kill(pid, 0)
print("it can be signalled")
os.close(gate_write)
reaped, status = os.waitpid(pid, 0)
print("status", reaped == pid, status >> 8)
