"""An exception of a handler comes out of the call it interrupted."""

import os
import signal
import time


def boom(number, frame):
    raise ValueError(f"signal {int(number)}")


signal.signal(signal.SIGUSR1, boom)
signal.signal(signal.SIGALRM, boom)
try:
    os.kill(os.getpid(), signal.SIGUSR1)
    print("not reached")
except ValueError as error:
    print("kill", error)
read_end, write_end = os.pipe()
for name in ("sleep", "read", "waitpid", "pause"):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        time.sleep(5)
        os._exit(0)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        if name == "sleep":
            time.sleep(5)
        elif name == "read":
            os.read(read_end, 1)
        elif name == "waitpid":
            os.waitpid(child, 0)
        else:
            signal.pause()
        print("not reached")
    except ValueError as error:
        print(name, error)
    finally:
        os.kill(child, signal.SIGKILL)
        print(os.waitpid(child, 0)[1])


def in_a_function():
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    total = 0
    while True:
        total += 1


try:
    in_a_function()
except ValueError as error:
    print("loop", error)
pid = os.fork()
if pid == 0:
    os.close(2)
    os.kill(os.getpid(), signal.SIGUSR1)
    os._exit(0)
print("uncaught", os.waitpid(pid, 0)[1])
