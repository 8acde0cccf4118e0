"""Two generations of parents that die first, many times: nobody is left for the wrong parent."""

import os

read_end, write_end = os.pipe()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        for _ in range(2):
            if os.fork() == 0:
                if os.fork() == 0:
                    os.write(write_end, b"x")
                    os._exit(0)
                os._exit(0)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
os.close(write_end)
count = 0
while True:
    data = os.read(read_end, 100)
    if not data:
        break
    count += len(data)
print("grandchildren", count)
try:
    os.wait()
except ChildProcessError:
    print("no child left")
