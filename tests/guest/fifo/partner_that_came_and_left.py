"""A writer that opened and closed at once still lets the waiting reader in, which finds the end."""

import os
import time

path = f"/tmp/fifo{time.time_ns()}"
os.mkfifo(path)
for turn in range(20):
    child = os.fork()
    if child == 0:
        os.close(os.open(path, os.O_WRONLY))
        os._exit(turn)
    r = os.open(path, os.O_RDONLY)
    end = os.read(r, 1)
    os.close(r)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if end != b"" or code != turn:
        print("wrong", end, code)
for turn in range(20):
    child = os.fork()
    if child == 0:
        os.close(os.open(path, os.O_RDONLY))
        os._exit(turn)
    os.close(os.open(path, os.O_WRONLY))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != turn:
        print("wrong")
print("done")
os.unlink(path)
