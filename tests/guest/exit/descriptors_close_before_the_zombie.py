"""A pipe's end of file, and with it the exit, is seen before the child has been waited for."""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os._exit(1)
os.close(write_end)
print("end of file", os.read(read_end, 1))
print("status", os.waitpid(pid, 0)[1])
