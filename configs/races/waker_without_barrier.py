"""A task polls a pipe while another one writes to it: the byte is seen, and read."""

import os
import select

readable, writable = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(writable, b"x")
    os._exit(0)
ready, _, _ = select.select([readable], [], [])
print("ready", ready == [readable], os.read(readable, 1))
os.waitpid(pid, 0)
