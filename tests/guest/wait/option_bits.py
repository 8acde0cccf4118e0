"""Which option bits wait4 and waitid know, one by one; an unknown bit is told before ECHILD."""

import os


def attempt(call, options):
    try:
        if call == "wait4":
            os.wait4(-1, options)
        else:
            os.waitid(os.P_ALL, 0, options)
        return 0
    except OSError as error:
        return error.errno


known = []
for bit in range(32):
    value = 1 << bit if bit < 31 else -(1 << 31)
    known.append(attempt("wait4", value))
print("wait4", known)
for always in (0, os.WEXITED, os.WSTOPPED, os.WCONTINUED):
    known = []
    for bit in range(32):
        value = 1 << bit if bit < 31 else -(1 << 31)
        known.append(attempt("waitid", value | always))
    print("waitid with", always, known)
