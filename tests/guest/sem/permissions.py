"""Mode bits decide who may read and change a set; only owner, creator and root may remove it."""

import os

from workloads import guest

CREAT = guest.IPC_CREAT


def attempt(what, id, operations):
    try:
        guest.semop(id, operations)
        print(what, "done")
    except OSError as error:
        print(what, error.errno)


def control(what, id, command, value=0):
    try:
        print(what, guest.semctl(id, 0, command, value))
    except OSError as error:
        print(what, error.errno)


def get(what, key, flags):
    try:
        print(what, guest.semget(key, 1, flags) >= 0)
    except OSError as error:
        print(what, error.errno)


def stranger(ids):
    for name, id in ids:
        print(name)
        attempt("  change", id, [(0, 1, guest.IPC_NOWAIT)])
        attempt("  test for zero", id, [(0, 0, guest.IPC_NOWAIT)])
        control("  value", id, guest.GETVAL)
        control("  set value", id, guest.SETVAL, 1)
        control("  set value too large", id, guest.SETVAL, 40000)
        control("  stat", id, guest.IPC_STAT)
        control("  set mode", id, guest.IPC_SET, 0o666)
        control("  remove", id, guest.IPC_RMID)
    for flags in (0, 0o004, 0o002, 0o006, 0o400, 0o060, 0o111):
        get(f"get with {flags:o}", 0x9E1, flags)
    own = guest.semget(guest.IPC_PRIVATE, 1, CREAT | 0o000)
    attempt("own without rights", own, [(0, 1, 0)])
    control("own, set mode", own, guest.IPC_SET, 0o600)
    attempt("own with rights", own, [(0, 1, 0)])
    control("own, remove", own, guest.IPC_RMID)


ids = []
for mode in (0o600, 0o640, 0o604, 0o602, 0o606):
    ids.append((f"mode {mode:o}", guest.semget(guest.IPC_PRIVATE, 1, CREAT | mode)))
guest.semget(0x9E1, 1, CREAT | 0o604)
mine = guest.semget(guest.IPC_PRIVATE, 1, CREAT | 0o000)
attempt("root needs no rights", mine, [(0, 1, 0)])
pid = os.fork()
if pid == 0:
    os.setgid(1234)
    os.setuid(1234)
    stranger(ids)
    os._exit(0)
print(os.waitpid(pid, 0)[1])
for name, id in ids:
    control(name, id, guest.IPC_RMID)
