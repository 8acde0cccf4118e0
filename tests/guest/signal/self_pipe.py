"""The self-pipe: a handler writes a byte, and the loop that reads it sees each end."""

import os
import signal
import time

r, w = os.pipe()


def on_child(number, frame):
    os.write(w, b"c")


signal.signal(signal.SIGCHLD, on_child)
alive = {}
for number in range(5):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        time.sleep(0.02 * (number % 3))
        os._exit(number)
    alive[pid] = number
ends = []
while alive:
    os.read(r, 100)
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
        ends.append((alive[pid], status >> 8))
        del alive[pid]
print(sorted(ends))
