"""unshare(CLONE_FILES) of a table with descriptors above RLIMIT_NOFILE is EMFILE; a fork is too."""

import os
import resource
import signal

from workloads import guest


def attempt(what, flags):
    try:
        if what == "unshare":
            guest.unshare(flags)
        else:
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        guest.say(f"{what}: done")
    except OSError as error:
        guest.say(f"{what}: {error.strerror}")


def main():
    os.dup2(1, 200)
    pid = guest.clone(guest.CLONE_FILES | signal.SIGCHLD)
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        attempt("unshare", guest.CLONE_FILES)
        attempt("fork", 0)
        os.close(200)
        attempt("unshare", guest.CLONE_FILES)
        os.dup2(1, 50)
        os._exit(0)
    os.waitpid(pid, 0)
    for fd in (200, 50):
        try:
            os.fstat(fd)
            guest.say(f"{fd}: open")
        except OSError as error:
            guest.say(f"{fd}: {error.strerror}")


main()
