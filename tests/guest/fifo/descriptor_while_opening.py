"""While one thread waits in open() its descriptor is taken: another thread gets the next one."""

import os
import threading
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)
mine = []
lowest = os.dup(0)
os.close(lowest)


def reader():
    mine.append(os.open(path, os.O_RDONLY))


thread = threading.Thread(target=reader)
thread.start()
time.sleep(0.1)  # looking takes the number for a moment: let the thread have it first
both = os.dup(0)
while both == lowest:  # the thread is not in open() yet
    os.close(both)
    time.sleep(0.01)
    both = os.dup(0)
w = os.open(path, os.O_WRONLY)
thread.join()
print(mine[0] == lowest, both == lowest + 1, w == lowest + 2)
os.write(w, b"x")
print(os.read(mine[0], 5))
os.unlink(path)
