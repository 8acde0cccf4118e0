"""Parent and child both put the child into its own group, as shells do: it is there for both."""

import os

pids = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os._exit(0 if os.getpgrp() == os.getpid() else 1)
    os.setpgid(pid, pid)
    assert os.getpgid(pid) == pid
    pids.append(pid)
for pid in pids:
    assert os.waitpid(pid, 0)[1] == 0
print("all in their groups")
