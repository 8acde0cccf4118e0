"""After the init of the namespace for children has died, fork fails with ENOMEM."""

import os
import threading

from workloads import guest


def attempt(what, flags):
    try:
        if flags:
            pid = guest.clone(flags)
        else:
            pid = os.fork()
    except OSError as error:
        guest.say(f"{what}: {error.strerror}")
        return
    if pid == 0:
        os._exit(0)
    guest.say(f"{what}: made {os.waitpid(pid, 0)[1]}")


def never():
    guest.say("never")


def main():
    guest.unshare(guest.CLONE_NEWPID)
    guest.say(f"the caller stays: {os.getpid() != 1}")
    attempt("init", 0)
    attempt("second", 0)
    attempt("with a namespace of its own", guest.CLONE_NEWPID | 17)
    thread = threading.Thread(target=never)
    try:
        thread.start()
    except RuntimeError:
        guest.say("no threads either")
    try:
        guest.unshare(guest.CLONE_NEWPID)
    except OSError as error:
        guest.say(f"unshare again: {error.strerror}")


main()
