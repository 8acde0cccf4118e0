"""The undo list is the process's: a thread's end undoes nothing, the last thread's end does."""

import os
import threading

from workloads.guest import (
    GETVAL,
    IPC_CREAT,
    IPC_PRIVATE,
    IPC_RMID,
    SEM_UNDO,
    semctl,
    semget,
    semop,
)


def work():
    semop(sem, [(0, 5, SEM_UNDO)])


sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0o600)
pid = os.fork()
if pid == 0:
    semop(sem, [(0, 1, SEM_UNDO)])
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    print("thread is gone", semctl(sem, 0, GETVAL))
    os._exit(0)
os.waitpid(pid, 0)
print("process is gone", semctl(sem, 0, GETVAL))
semctl(sem, 0, IPC_RMID)
