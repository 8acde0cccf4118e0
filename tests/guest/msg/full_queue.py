"""A sender on a full queue sleeps until a receiver makes room for its message."""

import os

from workloads import guest

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
guest.msgsnd(q, 1, bytes(8000))
guest.msgsnd(q, 2, bytes(8000))
r, w = os.pipe()
for number, size in enumerate((5000, 300)):
    if os.fork() == 0:
        guest.msgsnd(q, 10 + number, bytes(size))
        os.write(w, b"%d" % number)
        os._exit(0)
print("the small one fits", os.read(r, 1), guest.msgctl(q, guest.IPC_STAT))
print(guest.msgrcv(q, 8192, 2)[0])
print("now the large one", os.read(r, 1), guest.msgctl(q, guest.IPC_STAT))
print(
    len(guest.msgrcv(q, 8192, 10)[1]), len(guest.msgrcv(q, 8192, 11)[1]), guest.msgrcv(q, 8192)[0]
)
os.wait()
os.wait()
guest.msgctl(q, guest.IPC_RMID)
