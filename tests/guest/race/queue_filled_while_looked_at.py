"""A queue is looked at while messages are put in and taken out: what it tells is of one moment."""

import os

from workloads import guest

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        for _ in range(2):
            if number < 2:
                guest.msgsnd(q, 1, b"text")
            elif number == 2:
                guest.msgrcv(q, 100, 0)
            elif guest.msgctl(q, guest.IPC_STAT)["qnum"] > 4:
                os._exit(1)
        os._exit(0)
    children.append(pid)
print([os.waitpid(pid, 0)[1] for pid in children], guest.msgctl(q, guest.IPC_STAT)["qnum"])
guest.msgctl(q, guest.IPC_RMID)
