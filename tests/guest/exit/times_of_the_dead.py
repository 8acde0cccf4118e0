"""A reaped child's times, with what it reaped itself, are the parent's from then on."""

import os

from workloads import guest

MS = 1_000_000


def children():
    now = os.times()
    return now.children_user + now.children_system


pid = os.fork()
if pid == 0:
    inner = os.fork()
    if inner == 0:
        guest.compute(100 * MS)
        os._exit(0)
    os.waitpid(inner, 0)
    other = os.fork()
    if other == 0:
        guest.compute(100 * MS)
        os._exit(0)
    os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
    guest.compute(50 * MS)
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("looked at", children() == 0)
reaped, status, usage = os.wait4(pid, 0)
own = usage.ru_utime + usage.ru_stime
print("usage of the child and what it reaped", 0.14 < own < 0.24)
print("reaped", abs(children() - own) < 0.03)
