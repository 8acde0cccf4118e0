"""Random walks through the calls that change ids: each step gives the ids or the error it must."""

import os

from workloads.guest import PR_GET_DUMPABLE, PR_GET_PDEATHSIG, PR_SET_PDEATHSIG, prctl

STEPS = 24
WALKS = 40
IDS = (-1, 0, 1, 2, 3)


def walk(seed):
    """Print what every step of one walk comes to."""
    state = seed
    prctl(PR_SET_PDEATHSIG, 10)
    for _ in range(STEPS):
        state = (state * 1103515245 + 12345) % (1 << 31)
        what = (state >> 8) % 8
        a = IDS[(state >> 12) % 5]
        b = IDS[(state >> 16) % 5]
        c = IDS[(state >> 20) % 5]
        error = 0
        try:
            if what == 0:
                os.setuid(a)
            elif what == 1:
                os.setgid(a)
            elif what == 2:
                os.seteuid(a)
            elif what == 3:
                os.setegid(a)
            elif what == 4:
                os.setreuid(a, b)
            elif what == 5:
                os.setregid(a, b)
            elif what == 6:
                os.setresuid(a, b, c)
            else:
                os.setresgid(a, b, c)
        except OSError as failed:
            error = failed.errno
        rest = prctl(PR_GET_DUMPABLE), prctl(PR_GET_PDEATHSIG)
        print(what, a, b, c, error, os.getresuid(), os.getresgid(), rest)


for seed in range(WALKS):
    pid = os.fork()
    if pid == 0:
        walk(seed * 7919 + 1)
        os._exit(0)
    os.waitpid(pid, 0)
