"""A group is there as long as it has a member, a zombie too; then nobody can signal or join it."""

import os


def attempt(name, call, pid, group):
    try:
        if call == "kill":
            os.kill(-group, 0)
        elif call == "join":
            os.setpgid(pid, group)
        else:
            os.getpgid(pid)
        print(name, "ok")
    except OSError as error:
        print(name, error.errno)


pid = os.fork()
if pid == 0:
    os._exit(0)
os.setpgid(pid, 0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
attempt("signal a zombie group", "kill", 0, pid)
attempt("its id", "get", pid, 0)
other = os.fork()
if other == 0:
    attempt("join a zombie group", "join", 0, pid)
    os._exit(0)
os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
print("it leads no group", os.getpgid(other) == pid)
os.waitpid(pid, 0)
attempt("the leader is reaped, a zombie member is left", "kill", 0, pid)
os.waitpid(other, 0)
attempt("empty", "kill", 0, pid)
attempt("join it", "join", 0, pid)
attempt("ask for it", "get", pid, 0)
