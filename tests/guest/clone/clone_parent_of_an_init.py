"""An init cannot make siblings: CLONE_PARENT is EINVAL for it and fine for its children."""

import os
import signal

from workloads import guest


def attempt(name):
    try:
        pid = guest.clone(guest.CLONE_PARENT | signal.SIGCHLD)
    except OSError as error:
        guest.say(f"{name}: {error.strerror}")
        return
    if pid == 0:
        guest.say(f"{name}: made, parent {os.getppid()}")
        os._exit(0)


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        attempt("init")
        child = os.fork()
        if child == 0:
            attempt("child of init")
            os._exit(0)
        os.wait()
        os.wait()
        os._exit(0)
    os.waitpid(pid, 0)


main()
