"""A parent and its child each write a letter: who of the two runs first after the fork?"""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(write_end, b"child ")
    os._exit(0)
for _ in range(3):
    os.getppid()  # the child has a way to go to its CPU
os.write(write_end, b"parent ")
os.waitpid(pid, 0)
print("first:", os.read(read_end, 100).split()[0].decode())
