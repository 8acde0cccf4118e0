"""What the dead give back goes to those who wait, whoever dies and waits first."""

import os
import signal

from workloads import guest

sem = guest.semget(guest.IPC_PRIVATE, 1, guest.IPC_CREAT | 0o600)
guest.semctl(sem, 0, guest.SETVAL, 2)
children = []
for number in range(5):
    pid = os.fork()
    if pid == 0:
        guest.semop(sem, [(0, -1, guest.SEM_UNDO)])
        if number % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
print(guest.semctl(sem, 0, guest.GETVAL), guest.semctl(sem, 0, guest.GETNCNT))
guest.semctl(sem, 0, guest.IPC_RMID)
