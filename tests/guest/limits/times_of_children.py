"""os.times: a child's times are added when it is waited for, with those of its own children."""

import os

from workloads.guest import compute

MS = 1_000_000
before = os.times()
print(before.children_user, before.children_system)
pid = os.fork()
if pid == 0:
    now = os.times()
    print("nothing inherited", now.user < 0.05, now.children_user)
    inner = os.fork()
    if inner == 0:
        compute(60 * MS)
        os._exit(0)
    os.waitpid(inner, 0)
    print("grandchild", 0.05 <= os.times().children_user + os.times().children_system < 0.15)
    compute(60 * MS)
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print(os.times().children_user, os.times().children_system)
os.waitpid(pid, 0)
after = os.times()
print(0.1 <= after.children_user + after.children_system < 0.25, after.elapsed > before.elapsed)
pid = os.fork()
if pid == 0:
    if os.fork() == 0:
        compute(60 * MS)
        os._exit(0)
    os._exit(0)
os.waitpid(pid, 0)
later = os.times()
print("what it did not wait for is lost", later.children_user - after.children_user < 0.05)
