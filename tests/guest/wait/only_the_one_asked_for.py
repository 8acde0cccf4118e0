"""A wait for one child sleeps through the deaths of others, which stay to be waited for."""

import os
import time


def child(code, delay):
    pid = os.fork()
    if pid == 0:
        time.sleep(delay)
        os._exit(code)
    return pid


first = child(1, 0.02)
second = child(2, 0.05)
third = child(3, 0.08)
other = child(4, 0.01)
os.setpgid(other, 0)
print(os.waitpid(third, 0)[1] >> 8)
print(os.waitpid(-other, 0)[1] >> 8)
print(os.waitid(os.P_PID, second, os.WEXITED).si_status)
print(os.waitpid(0, 0)[1] >> 8)
try:
    os.waitpid(-1, 0)
except ChildProcessError as error:
    print(error)
