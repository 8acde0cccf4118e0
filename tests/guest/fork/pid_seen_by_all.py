"""fork's result, the child's getpid, the parent's getpid and wait's result agree."""

import os

read_end, write_end = os.pipe()
me = os.getpid()
pid = os.fork()
if pid == 0:
    os.write(write_end, f"{os.getpid()} {os.getppid()}".encode())
    os._exit(5)
os.close(write_end)
seen, parent = os.read(read_end, 100).split()
reaped, status = os.wait()
print("child", int(seen) == pid, "parent", int(parent) == me, "reaped", reaped == pid, status)
