"""Undo notes have a range of their own: what would leave it is ERANGE and changes nothing."""

import os

from workloads import guest

UNDO = guest.SEM_UNDO
sem = guest.semget(guest.IPC_PRIVATE, 2, guest.IPC_CREAT | 0o600)


def attempt(what, operations):
    try:
        guest.semop(sem, operations)
        print(what, "done", guest.semctl(sem, 0, guest.GETVAL))
    except OSError as error:
        print(what, error.errno, guest.semctl(sem, 0, guest.GETVAL))


pid = os.fork()
if pid == 0:
    attempt("up", [(0, 32767, UNDO)])
    attempt("down without undo", [(0, -32767, 0)])
    attempt("note is -32767: one more", [(0, 1, UNDO)])
    attempt("and another", [(0, 1, UNDO)])
    attempt("both at once", [(1, 1, UNDO), (0, 1, UNDO)])
    attempt("back", [(0, -1, UNDO)])
    attempt("cleared", [(0, 1, 0)])
    guest.semctl(sem, 0, guest.SETVAL, 9)
    attempt("after SETVAL", [(0, 1, UNDO), (0, -10, UNDO)])
    os._exit(0)
os.waitpid(pid, 0)
print(guest.semctl(sem, 0, guest.GETVAL), guest.semctl(sem, 1, guest.GETVAL))
guest.semctl(sem, 0, guest.IPC_RMID)
