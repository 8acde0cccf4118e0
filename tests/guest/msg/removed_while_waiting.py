"""Removal of a queue ends every sleeping msgrcv() and msgsnd() with EIDRM."""

import errno
import os
import time

from workloads import guest


def blocked(id, call):
    try:
        if call == "receive":
            guest.msgrcv(id, 10, 9)
        else:
            guest.msgsnd(id, 1, b"1")
        os._exit(1)
    except OSError as error:
        # it may come too late to sleep
        os._exit(error.errno in (errno.EIDRM, errno.EINVAL))


empty = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
full = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
guest.msgsnd(full, 2, bytes(8192))
guest.msgsnd(full, 2, bytes(8192))
children = []
for id, call in (
    (empty, "receive"),
    (empty, "receive"),
    (full, "send"),
    (full, "receive"),
    (full, "send"),
):
    pid = os.fork()
    if pid == 0:
        blocked(id, call)
    children.append(pid)
time.sleep(0.02)
guest.msgctl(empty, guest.IPC_RMID)
guest.msgctl(full, guest.IPC_RMID)
for pid in children:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
