"""setuid to a user over RLIMIT_NPROC succeeds; exec then fails with EAGAIN until room came."""

import os
import resource

UID = 61010


def become():
    os.setresuid(UID, UID, UID)


def start_holder(go, ready):
    """Start a process of the user that stays until the pipe is closed."""
    pid = os.fork()
    if pid == 0:
        os.close(go[1])
        become()
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    return pid


def attempt_exec(name):
    try:
        os.execv("/bin/true", ["true"])
    except OSError as error:
        print(name, error.errno)


def code(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
go = os.pipe()
ready = os.pipe()
holders = [start_holder(go, ready)]
pid = os.fork()
if pid == 0:
    become()
    attempt_exec("the second: what counts is who was there before")
    os._exit(1)
print(code(pid))
holders.append(start_holder(go, ready))
pid = os.fork()
if pid == 0:
    become()
    print(os.getresuid() == (UID, UID, UID))
    attempt_exec("over")
    attempt_exec("still over")
    try:
        os.fork()
    except OSError as error:
        print("fork", error.errno)
    os._exit(2)
print(code(pid))
# the mark is gone once root again
pid = os.fork()
if pid == 0:
    os.setresuid(UID, UID, 0)
    attempt_exec("as the user")
    os.setresuid(0, 0, 0)
    attempt_exec("as root")
    os._exit(3)
print(code(pid))
# room comes between
room = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(go[1])
    become()
    attempt_exec("before")
    os.write(ready[1], b"y")
    os.close(room[1])
    os.read(room[0], 1)
    attempt_exec("after")
    os._exit(4)
os.read(ready[0], 1)
os.close(go[1])
for holder in holders:
    os.waitpid(holder, 0)
os.close(room[1])
print(code(pid))
