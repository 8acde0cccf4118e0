"""exec copies the effective ids to the saved ones; if they differ from the real, it is secure."""

import os
import signal
import sys

from workloads.guest import PR_GET_DUMPABLE, PR_GET_PDEATHSIG, PR_SET_PDEATHSIG, prctl


def show(who):
    print(who, os.getresuid(), os.getresgid(), prctl(PR_GET_DUMPABLE), prctl(PR_GET_PDEATHSIG))


if len(sys.argv) > 1:
    show("after")
    sys.exit(0)
for gids, uids in (
    ((0, 0, 0), (0, 0, 0)),
    ((5, 6, 7), (0, 0, 0)),
    ((5, 5, 7), (0, 0, 8)),
    ((0, 0, 0), (8, 0, 0)),
    ((0, 0, 0), (8, 0, 9)),
):
    pid = os.fork()
    if pid == 0:
        os.setresgid(gids[0], gids[1], gids[2])
        os.setresuid(uids[0], uids[1], uids[2])
        prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
        show("before")
        os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
    os.waitpid(pid, 0)
