"""Every errno of the calls on message queues."""

from workloads import guest

CREAT = guest.IPC_CREAT
NOWAIT = guest.IPC_NOWAIT
KEY = 0x3355


def get(what, key, flags):
    try:
        print(what, guest.msgget(key, flags) == q)
    except OSError as error:
        print(what, error.errno, error.strerror)


def send(what, id, mtype, data, flags=0):
    try:
        print(what, guest.msgsnd(id, mtype, data, flags))
    except OSError as error:
        print(what, error.errno, error.strerror)


def receive(what, id, size, mtype=0, flags=0):
    try:
        mtype, data = guest.msgrcv(id, size, mtype, flags)
        print(what, mtype, len(data))
    except OSError as error:
        print(what, error.errno, error.strerror)


def control(what, id, command):
    try:
        print(what, guest.msgctl(id, command))
    except OSError as error:
        print(what, error.errno, error.strerror)


q = -1
get("none", KEY, 0)
q = guest.msgget(KEY, CREAT | 0o600)
get("again", KEY, CREAT)
get("exclusive", KEY, CREAT | guest.IPC_EXCL)
get("private", guest.IPC_PRIVATE, 0)
send("type 0", q, 0, b"x")
send("negative type", q, -1, b"x")
send("too long", q, 1, bytes(8193), NOWAIT)
send("negative id", -1, 1, b"x")
send("no such queue", 123456, 1, b"x")
send("as long as may be", q, 1, bytes(8192))
send("as long as may be", q, 1, bytes(8192))
send("full", q, 1, b"x", NOWAIT)
send("full for an empty one", q, 1, b"", NOWAIT)
control("stat", q, guest.IPC_STAT)
receive("negative size", q, -1)
receive("negative id", -1, 10)
receive("no such queue", 123456, 10)
receive("too long", q, 8191)
receive("no such type", q, 8192, 5, NOWAIT)
receive("all of it", q, 8192)
receive("copy without nowait", q, 8192, 0, guest.MSG_COPY)
receive("cut", q, 10, 0, guest.MSG_NOERROR)
receive("empty", q, 10, 0, NOWAIT)
control("no such queue", 123456, guest.IPC_STAT)
control("negative id", -1, guest.IPC_RMID)
control("remove", q, guest.IPC_RMID)
control("remove again", q, guest.IPC_RMID)
send("removed", q, 1, b"x")
receive("removed", q, 1)
