"""siginterrupt: with False, the kernel restarts the call and the handler waits for its end."""

import os
import signal
import time

log = []


def note(number, frame):
    log.append("handler")


def poke():
    """Return the read end of a pipe that gets data after a signal has come here."""
    read_end, write_end = os.pipe()
    target = os.getpid()
    if os.fork() == 0:
        time.sleep(0.1)
        os.kill(target, signal.SIGUSR1)
        time.sleep(0.1)
        os.write(write_end, b"x")
        os._exit(0)
    os.close(write_end)
    return read_end


def boom(number, frame):
    raise ValueError


signal.signal(signal.SIGUSR1, boom)
signal.siginterrupt(signal.SIGUSR1, False)
try:
    data = os.read(poke(), 1)
    print("no")
except ValueError:
    print("after the read")
start = time.monotonic()
read_end = poke()
try:
    time.sleep(1)
    print("no")
except ValueError:
    print("sleep is interrupted all the same", time.monotonic() - start < 0.9)
print(os.read(read_end, 1))
signal.siginterrupt(signal.SIGUSR1, True)
read_end = poke()
try:
    os.read(read_end, 1)
    print("no")
except ValueError:
    print("in the read")
print(os.read(read_end, 1))
for number in (0, 65):
    try:
        signal.siginterrupt(number, False)
    except ValueError as error:
        print(error)
try:
    signal.siginterrupt(signal.SIGKILL, False)
except OSError as error:
    print(error)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
