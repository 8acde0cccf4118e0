"""An exec that waits for the other threads to end is killed: all die of the signal."""

import os
import signal
import threading


def spin():
    while True:
        os.getppid()


def execute(gate):
    os.read(gate, 1)
    os.execv("/bin/sleep", ["sleep", "100"])


def one():
    gate_read, gate_write = os.pipe()
    ready_read, ready_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        for _ in range(3):
            threading.Thread(target=spin).start()
        threading.Thread(target=execute, args=(gate_read,)).start()
        os.write(ready_write, b"r")
        spin()
    os.read(ready_read, 1)
    os.write(gate_write, b"g")
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)
    print("killed", os.waitpid(pid, 0)[1] == signal.SIGKILL)


for _ in range(3):
    one()
