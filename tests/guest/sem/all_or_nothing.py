"""An operation list is done as a whole or not at all, in its order, also on one semaphore twice."""

from workloads.guest import (
    GETVAL,
    IPC_CREAT,
    IPC_NOWAIT,
    IPC_PRIVATE,
    IPC_RMID,
    SETVAL,
    semctl,
    semget,
    semop,
)


def values():
    found = []
    for index in range(3):
        found.append(semctl(sem, index, GETVAL))
    return found


def attempt(operations):
    try:
        semop(sem, operations)
        print("done", values())
    except OSError as error:
        print(error.errno, error.strerror, values())


sem = semget(IPC_PRIVATE, 3, IPC_CREAT | 0o600)
attempt([(0, 1, 0), (1, 2, 0), (2, 3, 0)])
attempt([(0, -1, IPC_NOWAIT), (1, -3, IPC_NOWAIT)])
attempt([(2, -3, IPC_NOWAIT), (1, -3, IPC_NOWAIT), (0, -1, 0)])
attempt([(0, -1, 0), (0, 0, IPC_NOWAIT), (0, 5, 0)])
attempt([(0, 0, IPC_NOWAIT), (0, 1, 0)])
attempt([(1, 1, 0), (1, 0, IPC_NOWAIT)])
attempt([(1, -2, 0), (1, 0, IPC_NOWAIT), (1, 1, 0)])
semctl(sem, 0, SETVAL, 32767)
attempt([(1, 1, 0), (0, 1, 0)])
attempt([(0, -32767, 0), (0, 32767, 0)])
semctl(sem, 0, IPC_RMID)
