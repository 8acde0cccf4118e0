"""A parent waits for two children that exit at the same time."""

import os

pids = []
for code in (3, 4):
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    pids.append(pid)
codes = []
for _ in pids:
    pid, status = os.wait()
    codes.append(os.waitstatus_to_exitcode(status))
print("reaped", sorted(codes))
