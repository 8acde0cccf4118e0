"""set_tid may choose a pid at every level; a new namespace begins with 1 and nothing else."""

import os

from workloads import guest

OUTER = 20001
MIDDLE = 77


def attempt(name, flags, numbers):
    try:
        pid = guest.clone3(flags, set_tid=numbers)
    except OSError as error:
        guest.say(f"{name}: {error.strerror}")
        return
    if pid == 0:
        guest.say(f"{name}: inside {os.getpid()}")
        os._exit(0)
    os.waitpid(pid, 0)
    guest.say(f"{name}: outside {pid == OUTER} {pid == MIDDLE}")


def middle():
    attempt("in a fresh one, not 1", guest.CLONE_NEWPID, (2, MIDDLE))
    attempt("three levels", guest.CLONE_NEWPID, (1, MIDDLE, OUTER))
    attempt("two levels", 0, (MIDDLE, OUTER))
    attempt("inner level only", 0, (MIDDLE,))
    attempt("outer one taken", 0, (MIDDLE, 1))
    attempt("nothing leaked", 0, (MIDDLE, OUTER))
    os._exit(0)


def main():
    attempt("not 1", guest.CLONE_NEWPID, (2,))
    attempt("1", guest.CLONE_NEWPID, (1, OUTER))
    pid = guest.clone3(guest.CLONE_NEWPID)
    if pid == 0:
        middle()
    guest.say(f"{os.waitpid(pid, 0)[1]}")


main()
