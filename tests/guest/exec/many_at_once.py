"""Several processes execute the same file at the same time."""

import os

pids = []
for _ in range(8):
    pid = os.fork()
    if pid == 0:
        os.execv("/bin/sleep", ["sleep", "0.005"])
    pids.append(pid)
print(len(pids))
statuses = []
for pid in pids:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses)
