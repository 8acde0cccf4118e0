"""A signal is sent to a number while it changes hands: from a dead child to the next one."""

import os
import signal
import threading

from workloads import guest

read_end, write_end = os.pipe()
first = os.fork()
if first == 0:
    os._exit(0)
told = []


def send():
    for _ in range(4):
        os.getppid()  # the number changes hands meanwhile, or later
    try:
        os.kill(first, signal.SIGUSR1)
        told.append("sent")
    except ProcessLookupError:
        told.append("nobody there")


thread = threading.Thread(target=send)
thread.start()
os.waitpid(first, 0)
second = guest.clone3(0, set_tid=(first,))
if second == 0:
    os.read(read_end, 1)
    os._exit(0)
thread.join()
os.write(write_end, b"x")
status = os.waitpid(second, 0)[1]
killed = "killed" if os.WIFSIGNALED(status) else "unhurt"
print(f"{told[0]}, the next of that number: {killed}")
