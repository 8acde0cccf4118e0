"""A signal to a group reaches every member and nobody else."""

import os
import signal


def blocked(read_end, write_end, group):
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        os.read(read_end, 1)
        os._exit(0)
    if group >= 0:
        os.setpgid(pid, group)
    return pid


read_end, write_end = os.pipe()
leader = blocked(read_end, write_end, 0)
members = [leader]
for _ in range(4):
    members.append(blocked(read_end, write_end, leader))
outsider = blocked(read_end, write_end, -1)
os.kill(-leader, signal.SIGTERM)
for pid in members:
    print("member", os.waitpid(pid, 0)[1])
print("outsider", os.waitpid(outsider, os.WNOHANG))
os.close(write_end)
print("outsider", os.waitpid(outsider, 0)[1])
try:
    os.killpg(leader, 0)
except ProcessLookupError as error:
    print("the group is gone: errno", error.errno)
