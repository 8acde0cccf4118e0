"""A sleeper is woken while another task says that it may use CPU 1 only."""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(read_end, 1)
    os.read(read_end, 1)
    os._exit(0)
other = os.fork()
if other == 0:
    os.write(write_end, b"1")
    os._exit(0)
os.sched_setaffinity(pid, {1})
os.waitpid(other, 0)
os.write(write_end, b"2")
os.waitpid(pid, 0)
print("done")
