"""waitpid(0) means the caller's group when it calls; a child counts by the group it is in now."""

import os


def attempt(pid):
    try:
        return os.waitpid(pid, os.WNOHANG)[1] >> 8
    except ChildProcessError:
        return "ECHILD"


pid = os.fork()
if pid == 0:
    old = os.getpgrp()
    children = []
    for code in (11, 12, 13):
        child = os.fork()
        if child == 0:
            os._exit(code)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        children.append(child)
    os.setpgid(0, 0)
    print("own new group", attempt(0))
    print("a zombie is moved", os.setpgid(children[1], os.getpgrp()), attempt(0), attempt(0))
    print("old group", attempt(-old), attempt(-old), attempt(-old))
    print("any", attempt(-1))
    os._exit(0)
print(os.waitpid(pid, 0)[1])
