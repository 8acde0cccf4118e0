"""nice adds and is cut off at 19; setpriority is cut off; getpriority tells the best of a group."""

import os


def attempt(which, who, value=None):
    try:
        if value is None:
            return os.getpriority(which, who)
        return os.setpriority(which, who, value)
    except OSError as error:
        return f"errno {error.errno}"


for step in (0, 1, 2, 0, 100, 5):
    print(step, os.nice(step), os.getpriority(os.PRIO_PROCESS, 0))
gate = os.pipe()
pids = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        os.read(gate[0], 1)
        os._exit(os.getpriority(os.PRIO_PROCESS, 0))
    os.setpgid(pid, pids[0] if pids else 0)
    pids.append(pid)
for value in (19, 20, 1000, -(1 << 31), (1 << 31) - 1):
    print("child", value, attempt(os.PRIO_PROCESS, pids[1], value) if value >= 19 else "-")
print("group", attempt(os.PRIO_PGRP, pids[0]), attempt(os.PRIO_PGRP, pids[0], 19))
for which, who in ((-1, 0), (3, 0), (os.PRIO_PROCESS, -1), (os.PRIO_PGRP, 999999), (0, 999999)):
    print(which, who, attempt(which, who), attempt(which, who, 19))
print("nobody", attempt(os.PRIO_USER, 61234), attempt(os.PRIO_USER, 61234, 19))
os.write(gate[1], b"xxx")
for pid in pids:
    print(os.waitpid(pid, 0)[1] >> 8)
