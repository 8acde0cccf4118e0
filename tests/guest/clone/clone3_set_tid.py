"""clone3 gives the child the pid that set_tid asks for; a taken one is EEXIST, a bad one EINVAL."""

import os

from workloads import guest

ODD = 30000


def attempt(name, numbers):
    try:
        pid = guest.clone3(0, set_tid=numbers)
    except OSError as error:
        guest.say(f"{name}: {error.strerror}")
        return 0
    if pid == 0:
        os._exit(5 if os.getpid() == ODD else 6)
    guest.say(f"{name}: {pid == ODD} {os.waitpid(pid, 0)[1] >> 8}")
    return pid


def main():
    attempt("free", (ODD,))
    attempt("free again", (ODD,))
    attempt("own", (os.getpid(),))
    attempt("init", (1,))
    attempt("0", (0,))
    attempt("-1", (-1,))
    attempt("too large", (1 << 30,))
    attempt("more levels than there can be", tuple([ODD] * 33))
    pid = guest.clone3(0, set_tid=(ODD,))
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    attempt("a zombie's", (ODD,))
    os.waitpid(pid, 0)
    attempt("reaped", (ODD,))
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    guest.say(f"the next pid does not follow: {pid < ODD}")
    os.waitpid(pid, 0)


main()
