"""Messages come out of a queue in order, each whole, and by type if the receiver asks."""

import os

from workloads import guest

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
NOWAIT = guest.IPC_NOWAIT


def fill():
    for mtype, text in ((3, b"three"), (1, b"one"), (2, b"two"), (3, b"THREE"), (1, b"ONE")):
        guest.msgsnd(q, mtype, text)


def take(what, size, mtype, flags):
    try:
        print(what, guest.msgrcv(q, size, mtype, flags | NOWAIT), guest.msgctl(q, guest.IPC_STAT))
    except OSError as error:
        print(what, error.errno, error.strerror, guest.msgctl(q, guest.IPC_STAT))


fill()
take("first", 100, 0, 0)
take("of type 3", 100, 3, 0)
take("of type 3 again", 100, 3, 0)
take("lowest up to 2", 100, -2, 0)
take("lowest up to 2 again", 100, -2, 0)
take("lowest up to 1", 100, -1, 0)
take("lowest of all", 100, -9223372036854775808, 0)
fill()
take("not 3", 100, 3, guest.MSG_EXCEPT)
take("not 1", 100, 1, guest.MSG_EXCEPT)
take("too long", 2, 2, 0)
take("cut", 2, 2, guest.MSG_NOERROR)
take("too long, first", 3, 0, 0)
take("exactly", 5, 0, 0)
take("size 0", 0, 1, guest.MSG_NOERROR)
take("nothing left", 5, 0, 0)
guest.msgsnd(q, 7, b"")
take("empty", 0, 0, 0)
fill()
take("copy 0", 100, 0, guest.MSG_COPY)
take("copy 3", 100, 3, guest.MSG_COPY)
take("copy 5", 100, 5, guest.MSG_COPY)
take("copy too long", 1, 1, guest.MSG_COPY)
take("copy except", 100, 1, guest.MSG_COPY | guest.MSG_EXCEPT)
guest.msgsnd(q, 9223372036854775807, b"largest type")
take("largest", 100, 9223372036854775807, 0)
pid = os.fork()
if pid == 0:
    guest.msgsnd(q, 100 + guest.msgrcv(q, 10, 3)[0], b"from the child")
    os._exit(0)
os.waitpid(pid, 0)
take("child's", 100, 103, 0)
print(guest.msgctl(q, guest.IPC_RMID))
