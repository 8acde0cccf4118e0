"""What setpgid allows, and the errno of what it does not."""

import os
import time


def attempt(name, pid, group):
    try:
        os.setpgid(pid, group)
        print(name, "ok")
    except OSError as error:
        print(name, "errno", error.errno)


def leader():
    # A session of its own, so that nothing depends on who started the program.
    os.setsid()
    attempt("session leader", 0, 0)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        attempt("the parent of the caller", os.getppid(), 0)
        attempt("negative group", 0, -1)
        attempt("no such group", 0, 999999)
        attempt("own group again", 0, os.getpgrp())
        attempt("new group", 0, 0)
        print("leads", os.getpgrp() == os.getpid())
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    attempt("a zombie child", child, 0)
    os.waitpid(child, 0)
    attempt("a reaped child", child, child)
    attempt("init", 1, 1)
    child = os.fork()
    if child == 0:
        os.setsid()
        os.write(write_end, b"s")
        time.sleep(100)
    os.read(read_end, 1)
    attempt("a child with a session of its own", child, 0)
    os.kill(child, 9)
    os.waitpid(child, 0)
    child = os.fork()
    if child == 0:
        os.dup2(write_end, 1)
        os.execv("/bin/sh", ["sh", "-c", "exec /bin/cat /dev/null"])
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    attempt("a child that called exec", child, 0)
    os.waitpid(child, 0)
    os._exit(0)


if os.fork() == 0:
    leader()
print("status", os.wait()[1])
