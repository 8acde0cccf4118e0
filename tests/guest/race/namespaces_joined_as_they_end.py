"""Two processes join namespaces while those who made them end: each is in one or in none."""

import os
import signal

from workloads import guest

told, ready = os.pipe()
makers = []
for _ in range(2):
    maker = guest.clone(guest.CLONE_NEWUTS | guest.CLONE_NEWIPC | signal.SIGCHLD)
    if maker == 0:
        os.write(ready, b"x")
        os._exit(0)
    makers.append(maker)
os.read(told, 1)
os.read(told, 1)
mine = os.stat("/proc/self/ns/uts").st_ino
children = []
for number in range(2):
    pid = os.fork()
    if pid == 0:
        for name, kind in (("uts", guest.CLONE_NEWUTS), ("ipc", guest.CLONE_NEWIPC)):
            try:
                guest.setns(os.open(f"/proc/{makers[number]}/ns/{name}", os.O_RDONLY), kind)
            except FileNotFoundError:
                continue
            if name == "uts" and os.stat("/proc/self/ns/uts").st_ino == mine:
                os._exit(1)
        os._exit(0)
    children.append(pid)
statuses = []
for pid in [*children, *makers]:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses, os.stat("/proc/self/ns/uts").st_ino == mine)
