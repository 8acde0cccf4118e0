"""WNOWAIT leaves the child waitable; WNOHANG finds nothing while it lives."""

import os

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write_end)
    os.read(read_end, 1)
    os._exit(6)
print("alive", os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG))
os.close(write_end)
for _ in range(3):
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print("zombie", found.si_pid == pid, found.si_status)
print("reaped", os.waitpid(pid, 0)[1] >> 8)
try:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
except ChildProcessError as error:
    print("gone: errno", error.errno)
