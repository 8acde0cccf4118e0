"""Blocking calls run the handler and go on (PEP 475): sleep, read, write, waitpid, waitid."""

import os
import signal
import time

seen = []


def note(number, frame):
    seen.append(int(number))


def poke(times):
    """Return a child that sends SIGUSR1 here, some time apart."""
    target = os.getpid()
    pid = os.fork()
    if pid == 0:
        for _ in range(times):
            time.sleep(0.1)
            os.kill(target, signal.SIGUSR1)
        time.sleep(0.1)
        os._exit(7)
    return pid


signal.signal(signal.SIGUSR1, note)
pid = poke(3)
start = time.monotonic()
time.sleep(0.6)
took = time.monotonic() - start
print("sleep", len(seen), 0.6 <= took < 1.2)
print(os.waitpid(pid, 0)[1])

pid = poke(2)
print("waitpid", os.waitpid(pid, 0)[1], len(seen))

pid = poke(2)
print("waitid", os.waitid(os.P_PID, pid, os.WEXITED).si_status, len(seen))

read_end, write_end = os.pipe()
target = os.getpid()
pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.kill(target, signal.SIGUSR1)
    time.sleep(0.1)
    os.write(write_end, b"data")
    os._exit(0)
print("read", os.read(read_end, 100), len(seen))
os.waitpid(pid, 0)

pid = os.fork()
if pid == 0:
    time.sleep(0.1)
    os.kill(target, signal.SIGUSR1)
    time.sleep(0.1)
    left = 65536 + 10
    while left:
        left -= len(os.read(read_end, left))
    os._exit(0)
print("fill", os.write(write_end, bytes(65536)), len(seen))
print("write", os.write(write_end, bytes(10)), len(seen))
print(os.waitpid(pid, 0)[1])
