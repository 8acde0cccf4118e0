"""Several vfork children exec at once; each parent goes on when its own child lets go."""

import os

from workloads import guest

pids = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        child = guest.vfork()
        if child == 0:
            os.execv("/bin/false", ["false"])
        status = os.waitpid(child, 0)[1]
        os._exit(status >> 8)
    pids.append(pid)
statuses = []
for pid in pids:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses)
