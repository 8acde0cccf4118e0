"""What waitid makes of each kind of id: processes, groups, pidfds, and numbers that are none."""

import os


def attempt(kind, number, options=os.WEXITED | os.WNOHANG):
    try:
        found = os.waitid(kind, number, options)
        return None if found is None else found.si_pid == pid
    except OSError as error:
        return error.errno


gate = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(gate[1])
    os.read(gate[0], 1)
    os._exit(3)
plain = os.open("/dev/null", os.O_RDONLY)
mine = os.pidfd_open(os.getpid())
its = os.pidfd_open(pid)
eager = os.pidfd_open(pid, os.O_NONBLOCK)
for kind in (os.P_ALL, os.P_PID, os.P_PGID, os.P_PIDFD, 4, -1, 100):
    row = []
    for number in (-(1 << 31), -2, -1, 0, 1, 999999, pid, os.getpid(), os.getpgrp()):
        row.append(attempt(kind, number) if kind != os.P_PIDFD or number < 1 else "-")
    print(kind, row)
print("descriptors", attempt(os.P_PIDFD, plain))
print(attempt(os.P_PIDFD, mine), attempt(os.P_PIDFD, its), attempt(os.P_PIDFD, 999))
print("does not block", attempt(os.P_PIDFD, eager, os.WEXITED), attempt(os.P_PIDFD, eager))
os.close(gate[1])
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("dead", attempt(os.P_PIDFD, eager, os.WEXITED | os.WNOWAIT))
print(attempt(os.P_PGID, 0), attempt(os.P_PIDFD, its), attempt(os.P_PGID, 0))
