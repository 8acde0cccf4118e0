"""A process writes to a pipe while the last reader closes it: the write comes through, or EPIPE."""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write_end)
    os.close(read_end)
    os._exit(0)
os.close(read_end)
try:
    ended = os.write(write_end, b"anybody there?") == 14
except BrokenPipeError:
    ended = True
os.waitpid(pid, 0)
print("written or refused", ended)
