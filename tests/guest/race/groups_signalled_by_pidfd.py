"""A process group is signalled through a pidfd, as a whole, while members come and go."""

import os
import signal

whole_group = 4
leader = os.fork()
if leader == 0:
    os.setpgid(0, 0)
    signal.pause()
try:
    os.setpgid(leader, leader)
except PermissionError:
    pass
fd = os.pidfd_open(leader)
members = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, leader)
        os._exit(0)
    members.append(pid)
signal.pidfd_send_signal(fd, signal.SIGTERM, None, whole_group)
print(os.waitpid(leader, 0)[1])
print(all(os.waitpid(pid, 0)[1] in (0, 1 << 8, signal.SIGTERM) for pid in members))
