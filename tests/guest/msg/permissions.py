"""Mode bits decide who may send and receive; only owner, creator and root may remove a queue."""

import os

from workloads import guest


def attempt(what, number, id):
    try:
        if number == 0:
            guest.msgsnd(id, 1, b"x", guest.IPC_NOWAIT)
        elif number == 1:
            guest.msgrcv(id, 10, 0, guest.IPC_NOWAIT)
        elif number == 2:
            guest.msgctl(id, guest.IPC_STAT)
        else:
            guest.msgctl(id, guest.IPC_RMID)
        print(what, "done")
    except OSError as error:
        print(what, error.errno)


queues = []
for mode in (0o600, 0o604, 0o602, 0o606, 0o060):
    queues.append((mode, guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | mode)))
pid = os.fork()
if pid == 0:
    os.setgid(1234)
    os.setuid(1234)
    for mode, id in queues:
        for number, what in enumerate(("send", "receive", "stat", "remove")):
            attempt(f"{mode:o} {what}", number, id)
    own = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT)
    for number, what in enumerate(("send", "receive", "stat", "remove")):
        attempt(f"own {what}", number, own)
    os._exit(0)
os.waitpid(pid, 0)
for mode, id in queues:
    attempt(f"{mode:o} root removes", 3, id)
