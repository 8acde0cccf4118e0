"""Children die while their parent does: init or the parent gets each of them, none is left."""

import os

alive_read, alive_write = os.pipe()
pids = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        os.close(alive_read)
        for number in range(4):
            if os.fork() == 0:
                if number % 2 and os.fork() == 0:
                    os._exit(1)
                os._exit(number)
        os._exit(9)
    pids.append(pid)
os.close(alive_write)
for pid in pids:
    assert os.waitpid(pid, 0)[1] == 9 << 8
print("no writer left", os.read(alive_read, 1))
try:
    os.wait()
except ChildProcessError:
    print("none is mine")
