"""Nobody can wait for a sibling, a grandchild, the parent or himself, dead or alive."""

import os


def attempt(pid):
    try:
        return os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return "ECHILD"


tell, told = os.pipe(), os.pipe()
older = os.fork()
if older == 0:
    inner = os.fork()
    if inner == 0:
        os._exit(3)
    os.waitid(os.P_PID, inner, os.WEXITED | os.WNOWAIT)
    os.write(tell[1], str(inner).encode())
    os.read(told[0], 1)
    os._exit(os.waitpid(inner, 0)[1] >> 8)
inner = int(os.read(tell[0], 20))
younger = os.fork()
if younger == 0:
    print("sibling", attempt(older), "its child", attempt(inner), "myself", attempt(os.getpid()))
    print("parent", attempt(os.getppid()), "init", attempt(1))
    os._exit(4)
os.waitpid(younger, 0)
print("grandchild", attempt(inner), "myself", attempt(os.getpid()), "reaped", attempt(younger))
os.write(told[1], b"x")
print(os.waitpid(older, 0)[1] >> 8)
