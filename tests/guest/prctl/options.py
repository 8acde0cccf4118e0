"""Every prctl option has its range of arguments; what it set can be read back."""

from workloads.guest import (
    PR_GET_CHILD_SUBREAPER,
    PR_GET_DUMPABLE,
    PR_GET_KEEPCAPS,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_PDEATHSIG,
    PR_GET_TIMERSLACK,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    PR_SET_TIMERSLACK,
    prctl,
)


def attempt(name, option, arg):
    try:
        print(name, arg, prctl(option, arg))
    except OSError as error:
        print(name, arg, "errno", error.errno)


for sig in (0, 1, 9, 19, 32, 34, 64, 65, -1):
    attempt("pdeathsig", PR_SET_PDEATHSIG, sig)
    attempt("is", PR_GET_PDEATHSIG, 0)
prctl(PR_SET_PDEATHSIG, 0)
for value in (1, 0, 2, 77, -1, 0):
    attempt("subreaper", PR_SET_CHILD_SUBREAPER, value)
    attempt("is", PR_GET_CHILD_SUBREAPER, 0)
for value in (0, 1, 2, 3, -1, 1):
    attempt("dumpable", PR_SET_DUMPABLE, value)
    attempt("is", PR_GET_DUMPABLE, 0)
for value in (1000, 1, 0, 1 << 40, 0):
    attempt("slack", PR_SET_TIMERSLACK, value)
    attempt("is", PR_GET_TIMERSLACK, 0)
for value in (1, 0, 2):
    attempt("keepcaps", PR_SET_KEEPCAPS, value)
    attempt("is", PR_GET_KEEPCAPS, 0)
for value in (0, 2, 1, 0, 1):
    attempt("no_new_privs", PR_SET_NO_NEW_PRIVS, value)
    attempt("is", PR_GET_NO_NEW_PRIVS, 0)
attempt("is", PR_GET_NO_NEW_PRIVS, 1)
for option in (0, 12345, -1, 1 << 30):
    attempt("option", option, 0)
