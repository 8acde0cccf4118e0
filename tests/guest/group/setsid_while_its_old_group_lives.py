"""Who led a group and left it cannot begin a session while that group has a member."""

import os

gate = os.pipe()


def attempt(name):
    try:
        os.setsid()
        print(name, "ok", os.getsid(0) == os.getpid())
    except PermissionError as error:
        print(name, error.errno)


top = os.fork()
if top == 0:
    home = os.getpgrp()
    os.setpgid(0, 0)
    mine = os.getpgrp()
    member = os.fork()
    if member == 0:
        os.read(gate[0], 1)
        os._exit(0)
    attempt("it leads")
    os.setpgid(0, home)
    print("left", os.getpgrp() == home, os.getpgid(member) == mine)
    attempt("a member is left")
    os.setpgid(0, 0)
    print("it can come back", os.getpgrp() == mine)
    os.setpgid(0, home)
    os.write(gate[1], b"x")
    os.waitid(os.P_PID, member, os.WEXITED | os.WNOWAIT)
    attempt("a zombie is left")
    os.waitpid(member, 0)
    attempt("nobody is left")
    os._exit(0)
print(os.waitpid(top, 0)[1])
