"""Receivers of a queue are killed while messages come: what nobody took is still there."""

import os
import signal

from workloads import guest

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
receivers = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        guest.msgrcv(q, 100, 0)
        os._exit(0)
    receivers.append(pid)
sender = os.fork()
if sender == 0:
    for number in range(3):
        guest.msgsnd(q, 1 + number, b"text")
    os._exit(0)
looker = os.fork()
if looker == 0:
    for _ in range(3):
        if guest.msgctl(q, guest.IPC_STAT)["qnum"] > 3:
            os._exit(1)
    os._exit(0)
for pid in receivers:
    os.kill(pid, signal.SIGTERM)
print(os.waitpid(sender, 0)[1], os.waitpid(looker, 0)[1])
served = sum(os.waitpid(pid, 0)[1] == 0 for pid in receivers)
left = guest.msgctl(q, guest.IPC_STAT)["qnum"]
print(left + served <= 3)
guest.msgctl(q, guest.IPC_RMID)
