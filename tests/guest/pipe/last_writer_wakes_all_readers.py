"""Readers asleep on an empty pipe all get end of file when its last writer is gone."""

import os
import time

read_end, write_end = os.pipe()
pids = []
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        os._exit(len(os.read(read_end, 10)))
    pids.append(pid)
time.sleep(0.02)
print("all asleep", os.waitpid(-1, os.WNOHANG))
os.close(write_end)
statuses = []
for pid in pids:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses)
