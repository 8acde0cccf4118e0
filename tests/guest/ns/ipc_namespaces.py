"""System V objects belong to their IPC namespace: keys and ids mean nothing in another one."""

import os
import signal

from workloads import guest

KEY = 4321


def attempt(name, flags):
    try:
        guest.semget(KEY, 1, flags)
        guest.say(f"{name}: there")
    except OSError as error:
        guest.say(f"{name}: {error.strerror}")


def main():
    sem = guest.semget(KEY, 1, guest.IPC_CREAT | guest.IPC_EXCL | 0o600)
    pid = guest.clone(guest.CLONE_NEWIPC | signal.SIGCHLD)
    if pid == 0:
        attempt("inside", 0)
        try:
            guest.semctl(sem, 0, guest.GETVAL)
        except OSError as error:
            guest.say(f"id: {error.strerror}")
        guest.semget(KEY, 1, guest.IPC_CREAT | guest.IPC_EXCL | 0o600)
        guest.msgget(KEY, guest.IPC_CREAT | 0o600)
        attempt("made inside", 0)
        os._exit(0)
    os.waitpid(pid, 0)
    attempt("outside", 0)
    guest.unshare(guest.CLONE_NEWIPC)
    attempt("after unshare", 0)
    attempt("made", guest.IPC_CREAT | 0o600)


main()
