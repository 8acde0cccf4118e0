"""A descriptor that the child closes stays open in the parent, and the other way round."""

import os

read_end, write_end = os.pipe()
go_read, go_write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(read_end)
    os.read(go_read, 1)
    print("child writes", os.write(write_end, b"from the child"))
    os._exit(0)
os.close(write_end)
os.write(go_write, b"g")
os.waitpid(pid, 0)
print("parent reads", os.read(read_end, 100))
try:
    os.write(write_end, b"x")
except OSError as error:
    print("closed here:", error.errno)
