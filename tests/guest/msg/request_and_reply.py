"""Clients and a server share one queue: requests have type 1, replies the client's pid."""

import os

from workloads import guest

CLIENTS = 4

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
server = os.fork()
if server == 0:
    for _ in range(CLIENTS * 3):
        mtype, text = guest.msgrcv(q, 100, 1)
        pid, number = text.split()
        guest.msgsnd(q, int(pid), b"%d" % (int(number) ** 2))
    os._exit(0)
clients = []
for _ in range(CLIENTS):
    pid = os.fork()
    if pid == 0:
        total = 0
        for number in range(3):
            guest.msgsnd(q, 1, b"%d %d" % (os.getpid(), number + 2))
            mtype, text = guest.msgrcv(q, 100, os.getpid())
            total += int(text)
        os._exit(total)
    clients.append(pid)
for pid in clients:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(os.waitpid(server, 0)[1], guest.msgctl(q, guest.IPC_STAT), guest.msgctl(q, guest.IPC_RMID))
