"""A queue is looked at while others send to those who wait; queues come and go meanwhile."""

import os

from workloads import guest

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
children = []
for number in range(6):
    pid = os.fork()
    if pid == 0:
        if number < 2:
            guest.msgrcv(q, 100, 1 + number)
        elif number < 4:
            guest.msgsnd(q, number - 1, b"text")
        elif number == 4:
            if guest.msgctl(q, guest.IPC_STAT)["qnum"] > 2:
                os._exit(1)
        else:
            other = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
            guest.msgctl(other, guest.IPC_RMID)
        os._exit(0)
    children.append(pid)
other = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
guest.msgctl(other, guest.IPC_RMID)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses, guest.msgctl(q, guest.IPC_STAT)["qnum"])
guest.msgctl(q, guest.IPC_RMID)
