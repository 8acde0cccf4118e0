"""A receiver is served as a signal wakes it; who served it wakes it later, when it sleeps again."""

import os
import signal

from workloads import guest

q = guest.msgget(guest.IPC_PRIVATE, guest.IPC_CREAT | 0o600)
told, ready = os.pipe()


def ignore(_number, _frame):
    pass


def take():
    while True:
        try:
            return guest.msgrcv(q, 100, 0)[1]
        except InterruptedError:
            pass


receiver = os.fork()
if receiver == 0:
    signal.signal(signal.SIGUSR1, ignore)
    os.write(ready, b"x")
    first = take()
    os._exit(0 if (first, take()) == (b"one", b"two") else 1)
os.read(told, 1)
killer = os.fork()
if killer == 0:
    os.kill(receiver, signal.SIGUSR1)
    os._exit(0)
guest.msgsnd(q, 1, b"one")
print(os.waitpid(killer, 0)[1])
guest.msgsnd(q, 1, b"two")
print(os.waitpid(receiver, 0)[1])
guest.msgctl(q, guest.IPC_RMID)
