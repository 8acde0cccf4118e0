"""A process with threads is reported stopped once, when all have stopped, and continues as one."""

import os
import signal
import threading
import time

from workloads import guest

ready = os.pipe()
gate = os.pipe()


def compute():
    os.write(ready[1], b"c")
    while True:
        guest.compute(1_000_000)


def sleep():
    os.write(ready[1], b"s")
    time.sleep(1000)


def stop_all():
    os.read(gate[0], 1)
    signal.raise_signal(signal.SIGSTOP)
    os.write(ready[1], b"w")
    os.read(gate[0], 1)
    os._exit(6)


pid = os.fork()
if pid == 0:
    for target in (compute, sleep, stop_all):
        threading.Thread(target=target).start()
    time.sleep(1000)
for _ in range(2):
    os.read(ready[0], 1)
for way in ("from outside", "by a thread"):
    if way == "by a thread":
        os.write(gate[1], b"x")
    else:
        os.kill(pid, signal.SIGSTOP)
    print(way, hex(os.waitpid(pid, os.WUNTRACED)[1]), os.waitpid(pid, os.WUNTRACED | os.WNOHANG))
    os.kill(pid, signal.SIGCONT)
    print(hex(os.waitpid(pid, os.WCONTINUED)[1]), os.waitpid(pid, os.WCONTINUED | os.WNOHANG))
print(os.read(ready[0], 1))
os.write(gate[1], b"x")
print(os.waitpid(pid, 0)[1] >> 8)
