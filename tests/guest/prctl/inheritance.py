"""What fork and exec do with no_new_privs, timer slack, keep-caps and the subreaper mark."""

import os
import sys

from workloads.guest import (
    PR_GET_CHILD_SUBREAPER,
    PR_GET_DUMPABLE,
    PR_GET_KEEPCAPS,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_TIMERSLACK,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_TIMERSLACK,
    prctl,
)


def show(who):
    print(
        who,
        prctl(PR_GET_NO_NEW_PRIVS),
        prctl(PR_GET_TIMERSLACK),
        prctl(PR_GET_KEEPCAPS),
        prctl(PR_GET_CHILD_SUBREAPER),
        prctl(PR_GET_DUMPABLE),
    )


if len(sys.argv) > 1:
    show("after exec")
    prctl(PR_SET_TIMERSLACK, 0)
    show("default slack")
    sys.exit(0)
show("at first")
prctl(PR_SET_NO_NEW_PRIVS, 1)
prctl(PR_SET_TIMERSLACK, 12345)
prctl(PR_SET_KEEPCAPS, 1)
prctl(PR_SET_CHILD_SUBREAPER, 1)
prctl(PR_SET_DUMPABLE, 0)
show("set")
pid = os.fork()
if pid == 0:
    show("child")
    prctl(PR_SET_TIMERSLACK, 777)
    prctl(PR_SET_TIMERSLACK, 0)
    show("default slack")
    prctl(PR_SET_TIMERSLACK, 999)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(pid, 0)
prctl(PR_SET_TIMERSLACK, 0)
show("parent")
