"""SEM_UNDO gives back what the dead took, within 0 and 32767; SETVAL forgets it."""

import os
import signal

from workloads.guest import (
    GETPID,
    GETVAL,
    IPC_CREAT,
    IPC_NOWAIT,
    IPC_PRIVATE,
    IPC_RMID,
    SEM_UNDO,
    SETVAL,
    semctl,
    semget,
    semop,
)

sem = semget(IPC_PRIVATE, 3, IPC_CREAT | 0o600)


def values():
    return [semctl(sem, 0, GETVAL), semctl(sem, 1, GETVAL), semctl(sem, 2, GETVAL)]


def child(how):
    if how == "exit":
        semop(sem, [(0, 3, SEM_UNDO), (1, 2, SEM_UNDO), (1, 1, 0)])
    elif how == "killed":
        semop(sem, [(0, 1, 0), (0, -1, SEM_UNDO)])
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "below zero":
        semop(sem, [(2, 5, SEM_UNDO)])
        semop(sem, [(2, -4, 0)])
    elif how == "above the limit":
        semctl(sem, 2, SETVAL, 10)
        semop(sem, [(2, -10, SEM_UNDO)])
        semop(sem, [(2, 32767, 0)])
    elif how == "set since":
        semop(sem, [(2, -7, SEM_UNDO), (0, 1, SEM_UNDO)])
        semctl(sem, 2, SETVAL, 4)
    elif how == "failed":
        try:
            semop(sem, [(0, 1, SEM_UNDO), (1, 0, IPC_NOWAIT | SEM_UNDO)])
        except BlockingIOError as error:
            print("  blocked", error.errno)
    elif how == "not inherited":
        semop(sem, [(1, 2, SEM_UNDO)])
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        print("  after the grandchild", values())
    print("  child", values())
    os._exit(0)


for how in (
    "exit",
    "killed",
    "below zero",
    "above the limit",
    "set since",
    "failed",
    "not inherited",
):
    print(how)
    pid = os.fork()
    if pid == 0:
        child(how)
    os.waitpid(pid, 0)
    print("  then", values(), semctl(sem, 0, GETPID) == pid)
semctl(sem, 0, IPC_RMID)
