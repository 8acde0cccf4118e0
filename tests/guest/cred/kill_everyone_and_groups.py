"""kill of a group succeeds if one member may be signalled; of everyone, it leaves out others."""

import os
import signal


def start(uid, pgid):
    """Start a sleeper of a user in a group."""
    ready_r, ready_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, pgid)
        os.setresuid(uid, uid, uid)
        os.write(ready_w, b"x")
        signal.pause()
        os._exit(0)
    os.read(ready_r, 1)
    os.close(ready_r)
    os.close(ready_w)
    return pid


leader = start(75, 0)
second = start(76, leader)
third = start(76, leader)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.setresuid(77, 77, 77)
    try:
        os.killpg(leader, signal.SIGTERM)
    except OSError as error:
        print("no member", error.errno)
    os.setpgid(0, 0)
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.setresuid(75, 75, 75)
    os.killpg(leader, signal.SIGTERM)
    print("one member")
    os._exit(0)
os.waitpid(pid, 0)
print(os.WTERMSIG(os.waitpid(leader, 0)[1]))
print(os.waitpid(second, os.WNOHANG), os.waitpid(third, os.WNOHANG))
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.setresuid(76, 76, 76)
    os.kill(-1, signal.SIGHUP)
    print("everyone it may")
    os._exit(0)
os.waitpid(pid, 0)
for pid in (second, third):
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]))
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.setresuid(78, 78, 78)
    try:
        os.kill(-1, signal.SIGHUP)
        print("nobody it may, yet no error")
    except OSError as error:
        print("nobody", error.errno)
    os._exit(0)
os.waitpid(pid, 0)
