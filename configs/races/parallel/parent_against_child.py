"""A parent exits while its child does: whose child is it when it looks for the last time?"""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    parent = os.getpid()
    if os.fork() == 0:
        os.write(write_end, b"parent" if os.getppid() == parent else b"init")
        os._exit(0)
    for _ in range(1):
        os.getppid()  # the child has a way to go to its CPU
    os._exit(0)
os.close(write_end)
os.waitpid(pid, 0)
print("child of:", os.read(read_end, 10).decode())
