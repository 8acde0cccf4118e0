"""Every message of many senders reaches exactly one of many receivers, whole."""

import os

from workloads import guest

SENDERS = 3
RECEIVERS = 3
EACH = 8

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
r, w = os.pipe()
receivers = []
for _ in range(RECEIVERS):
    pid = os.fork()
    if pid == 0:
        while True:
            mtype, text = guest.msgrcv(q, 8192, -100)
            if mtype == 100:
                os._exit(0)
            whole = text == bytes([text[0]]) * len(text)
            os.write(w, bytes([text[0] if whole else 255]))
    receivers.append(pid)
senders = []
for sender in range(SENDERS):
    pid = os.fork()
    if pid == 0:
        for number in range(EACH):
            guest.msgsnd(q, 1 + number, bytes([sender * EACH + number]) * 2500)
        os._exit(0)
    senders.append(pid)
for pid in senders:
    os.waitpid(pid, 0)
got = []
for _ in range(SENDERS * EACH):
    got.append(os.read(r, 1)[0])
got.sort()
print(got == list(range(SENDERS * EACH)))
for _ in receivers:
    guest.msgsnd(q, 100, b"")
for pid in receivers:
    print(os.waitpid(pid, 0)[1])
print(guest.msgctl(q, guest.IPC_STAT), guest.msgctl(q, guest.IPC_RMID))
