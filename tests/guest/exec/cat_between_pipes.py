"""cat as a filter between two pipes: descriptors 0 and 1 survive exec, the others do not."""

import os

into_read, into_write = os.pipe()
out_read, out_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.dup2(into_read, 0)
    os.dup2(out_write, 1)
    os.execv("/bin/cat", ["cat"])
os.close(into_read)
os.close(out_write)
os.write(into_write, b"one ")
os.write(into_write, b"two")
os.close(into_write)
data = b""
while True:
    piece = os.read(out_read, 64)
    if not piece:
        break
    data += piece
print(data, os.waitpid(pid, 0)[1])
