"""Without privilege every new namespace is EPERM, by clone, clone3 and unshare; not a user's."""

import os
import signal

from workloads import guest

FLAGS = [
    ("NEWNS", guest.CLONE_NEWNS),
    ("NEWUTS", guest.CLONE_NEWUTS),
    ("NEWIPC", guest.CLONE_NEWIPC),
    ("NEWPID", guest.CLONE_NEWPID),
    ("NEWNET", guest.CLONE_NEWNET),
    ("NEWCGROUP", guest.CLONE_NEWCGROUP),
    ("NEWUSER", guest.CLONE_NEWUSER),
    ("NEWUSER and NEWPID", guest.CLONE_NEWUSER | guest.CLONE_NEWPID),
]


def attempt(how, name, flags):
    try:
        if how == "clone":
            pid = guest.clone(flags | signal.SIGCHLD)
        elif how == "clone3":
            pid = guest.clone3(flags)
        else:
            pid = os.fork()
            if pid == 0:
                guest.unshare(flags)
                os._exit(0)
    except OSError as error:
        guest.say(f"{how} {name}: {error.strerror}")
        if how == "unshare":
            os._exit(0)
        return
    if pid == 0:
        guest.say(f"{how} {name}: made")
        os._exit(0)
    os.waitpid(pid, 0)


def main():
    os.setgid(1000)
    os.setuid(1000)
    for how in ("clone", "clone3", "unshare"):
        for name, flags in FLAGS:
            attempt(how, name, flags)
    try:
        guest.clone3(0, set_tid=(25000,))
    except OSError as error:
        guest.say(f"set_tid: {error.strerror}")


main()
