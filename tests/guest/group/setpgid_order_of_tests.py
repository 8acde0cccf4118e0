"""Where several rules of setpgid are broken at once, the first in the kernel's order answers."""

import os

ready, gate = os.pipe(), os.pipe()


def attempt(name, pid, group):
    try:
        os.setpgid(pid, group)
        print(name, "ok")
    except OSError as error:
        print(name, error.errno)


def waiting(action):
    pid = os.fork()
    if pid == 0:
        if action == "session":
            os.setsid()
        os.write(ready[1], b"r")
        os.read(gate[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    return pid


leader = os.fork()
if leader == 0:
    os.setsid()
    plain, session = waiting("plain"), waiting("session")
    attempt("negative and no such process", 999999, -1)
    attempt("negative and myself", 0, -5)
    attempt("no such process and no such group", 999999, 999998)
    attempt("a stranger and no such group", os.getppid(), 999999)
    attempt("a session leader that is no child", os.getppid(), 0)
    attempt("a child that leads a session", session, 999999)
    attempt("it, into mine", session, os.getpgrp())
    attempt("myself, a session leader", 0, 999999)
    attempt("myself into a child", 0, plain)
    attempt("a child into a group that is a process only", plain, session)
    attempt("a child into no group", plain, 999999)
    attempt("a child into its own", plain, plain)
    attempt("a child into the parent's", plain, os.getpgrp())
    attempt("a child by 0", plain, 0)
    attempt("the number of init", plain, 1)
    os.write(gate[1], b"xx")
    os.wait()
    os.wait()
    os._exit(0)
print(os.waitpid(leader, 0)[1])
