"""A parent exits while its child does: init must reap the child, whoever of the two is first."""

import os
import sys

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os._exit(0)
    os._exit(7)
os.close(write_end)
reaped, status = os.waitpid(pid, 0)
left = os.read(read_end, 1)
if reaped != pid or os.waitstatus_to_exitcode(status) != 7 or left != b"":
    sys.exit(1)
print("the parent is gone, and so is the child")
