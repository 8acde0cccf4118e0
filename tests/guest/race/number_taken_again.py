"""Two processes want a child of one number: the second gets it once the first is gone.

Beside them lives one with a higher number than those that come after it.
"""

import os

from workloads import guest

NUMBER = 299


def one():
    try:
        pid = guest.clone3(0, set_tid=(NUMBER,))
    except FileExistsError:
        return  # the other's lives
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


read, write = os.pipe()
high = guest.clone3(0, set_tid=(NUMBER + 1,))
if high == 0:
    os.close(write)
    os.read(read, 1)
    os._exit(0)
os.close(read)
pid = os.fork()
one()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
os.close(write)
os.waitpid(high, 0)
print("both")
