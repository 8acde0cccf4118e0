"""Every errno of semget, semop and semctl, in the order in which the kernel looks."""

import errno

from workloads.guest import (
    GETNCNT,
    GETPID,
    GETVAL,
    GETZCNT,
    IPC_CREAT,
    IPC_EXCL,
    IPC_NOWAIT,
    IPC_PRIVATE,
    IPC_RMID,
    IPC_STAT,
    SEM_UNDO,
    SETVAL,
    semctl,
    semget,
    semop,
)

KEY = 0x5EA1


def get(what, key, nsems, flags):
    try:
        found = semget(key, nsems, flags)
        print(what, found >= 0, found == sem)
    except OSError as error:
        print(what, error.errno == errno.ENOENT, error.errno, error.strerror)


def op(what, id, operations):
    try:
        semop(id, operations)
        print(what, "done")
    except OSError as error:
        print(what, error.errno, error.strerror)


def ctl(what, id, index, command, value=0):
    try:
        print(what, semctl(id, index, command, value))
    except OSError as error:
        print(what, error.errno, error.strerror)


sem = -1
get("no such key", KEY, 1, 0)
get("no semaphores", KEY, 0, IPC_CREAT | 0o600)
get("negative number", KEY, -1, IPC_CREAT | 0o600)
get("too many", KEY, 32001, IPC_CREAT | 0o600)
sem = semget(KEY, 2, IPC_CREAT | 0o600)
get("again", KEY, 2, IPC_CREAT | 0o600)
get("exclusive", KEY, 2, IPC_CREAT | IPC_EXCL | 0o600)
get("exclusive alone", KEY, 2, IPC_EXCL | 0o600)
get("exclusive and larger", KEY, 3, IPC_CREAT | IPC_EXCL)
get("larger", KEY, 3, 0)
get("of any size", KEY, 0, 0)
get("private", IPC_PRIVATE, 1, 0o600)

op("no operations", sem, [])
op("501 operations", sem, [(0, 1, 0)] * 501)
op("501 operations on nothing", -1, [(0, 1, 0)] * 501)
op("500 operations", sem, [(0, 1, 0)] * 500)
op("no such set", 12345678, [(0, 1, 0)])
op("negative id", -1, [(0, 1, 0)])
op("no such semaphore", sem, [(2, 1, 0)])
op("no such semaphore, last", sem, [(0, 1, 0), (2, 1, 0)])
op("negative index", sem, [(-1, 1, 0)])
op("too large", sem, [(0, 32767, 0)])
op("would block", sem, [(1, -1, IPC_NOWAIT)])
op("would block for zero", sem, [(0, 0, IPC_NOWAIT)])
op("undo out of range", sem, [(1, 32767, SEM_UNDO), (1, -32767, 0), (1, 2, SEM_UNDO)])
op("undo of nothing", 12345678, [(0, 1, SEM_UNDO)])

for command in (GETVAL, GETNCNT, GETZCNT, SETVAL):
    ctl("no such semaphore", sem, 2, command)
    ctl("negative semaphore", sem, -1, command)
    ctl("no such set", 12345678, 0, command)
    ctl("negative set", -1, 0, command)
ctl("pid of the untouched", sem, 1, GETPID)
ctl("too large a value", sem, 0, SETVAL, 32768)
ctl("too large a value, no such set", 12345678, 0, SETVAL, 32768)
ctl("too large a value, no such semaphore", sem, 9, SETVAL, -1)
ctl("largest value", sem, 0, SETVAL, 32767)
ctl("value", sem, 0, GETVAL)
ctl("stat", sem, 99, IPC_STAT)
ctl("remove", sem, 99, IPC_RMID)
ctl("remove again", sem, 0, IPC_RMID)
op("removed", sem, [(0, 1, 0)])
get("removed key", KEY, 2, 0)
