"""A child may close every descriptor it inherited; those of the parent stay open."""

import os

fds = []
for _ in range(30):
    fds.append(os.open("/dev/null", os.O_RDWR))
read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    closed = 0
    for fd in range(200):
        if fd != write_end:
            try:
                os.close(fd)
                closed += 1
            except OSError:
                pass
    os.write(write_end, b"%d" % closed)
    os.close(write_end)
    os._exit(3)
os.close(write_end)
print(int(os.read(read_end, 10)) == 3 + len(fds) + 1, os.waitpid(pid, 0)[1] >> 8)
for fd in fds:
    os.close(fd)
print("all were open here")
