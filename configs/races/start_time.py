"""Two processes want a child of one number: the second gets it once the first is gone."""

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


pid = os.fork()
one()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
print("both")
