"""Opening a FIFO for reading waits for a writer, and the other way round."""

import os
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path, 0o640)
print(f"{os.stat(path).st_mode:o}", os.stat(path).st_size)
child = os.fork()
if child == 0:
    w = os.open(path, os.O_WRONLY)
    os.write(w, b"first ")
    os.write(w, b"second")
    os.close(w)
    r = os.open(path, os.O_RDONLY)
    data = os.read(r, 100)
    os.write(1, b"child got " + data + b"\n")
    os._exit(len(data))
r = os.open(path, os.O_RDONLY)
data = b""
while True:
    piece = os.read(r, 5)
    if not piece:
        break
    data += piece
os.write(1, b"parent got " + data + b"\n")
os.close(r)
w = os.open(path, os.O_WRONLY)
os.write(w, b"back")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.close(w)
os.unlink(path)
