"""A handler that raises ends semop() with its own exception, and nothing has been done."""

import os
import signal

from workloads import guest


def handler(signum, frame):
    raise KeyError("from the handler")


sem = guest.semget(guest.IPC_PRIVATE, 2, guest.IPC_CREAT | 0o600)
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGUSR1, handler)
    guest.semop(sem, [(1, 1, 0)])
    try:
        guest.semop(sem, [(1, 5, guest.SEM_UNDO), (0, -1, guest.SEM_UNDO)])
    except KeyError as error:
        print(error, guest.semctl(sem, 0, guest.GETNCNT), guest.semctl(sem, 1, guest.GETVAL))
    os._exit(0)
while guest.semctl(sem, 0, guest.GETNCNT) == 0:
    os.sched_yield()
os.kill(pid, signal.SIGUSR1)
print(os.waitpid(pid, 0)[1], guest.semctl(sem, 1, guest.GETVAL))
guest.semctl(sem, 0, guest.IPC_RMID)
