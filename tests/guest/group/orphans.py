"""A process whose parent is gone has another parent; its own children stay its own."""

import os

from_read, from_write = os.pipe()
dead_read, dead_write = os.pipe()
go_read, go_write = os.pipe()
pid = os.fork()
if pid == 0:
    parent = os.getpid()
    if os.fork() == 0:
        os.close(dead_write)
        before = os.getppid() == parent
        os.write(go_write, b"g")
        # End of file: its descriptors are gone, but it may not have left the family tree yet.
        os.read(dead_read, 1)
        grandchild = os.fork()
        if grandchild == 0:
            os._exit(21)
        status = os.waitpid(grandchild, 0)[1]
        while os.getppid() == parent:
            pass
        os.write(from_write, f"{before} {os.getppid() != parent} {status >> 8}".encode())
        os._exit(0)
    os.read(go_read, 1)
    os._exit(7)
os.close(dead_write)
os.close(from_write)
print("the parent ended with", os.waitpid(pid, 0)[1] >> 8)
print("its orphan:", os.read(from_read, 100))
print("the orphan's end:", os.read(from_read, 100))
try:
    os.wait()
except ChildProcessError:
    print("the orphan is not mine")
