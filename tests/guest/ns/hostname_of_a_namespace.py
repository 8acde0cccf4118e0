"""The host's name belongs to the uts namespace: what is set in one is not seen in another."""

import os
import signal

from workloads import guest

NAME = "/proc/sys/kernel/hostname"


def hostname():
    fd = os.open(NAME, os.O_RDONLY)
    text = os.read(fd, 100)
    os.close(fd)
    return text


def set_hostname(name):
    fd = os.open(NAME, os.O_WRONLY)
    os.write(fd, name)
    os.close(fd)


def main():
    before = hostname()
    pid = guest.clone(guest.CLONE_NEWUTS | signal.SIGCHLD)
    if pid == 0:
        guest.say(f"copied {hostname() == before}")
        set_hostname(b"inner\n")
        guest.say(f"{hostname()}")
        grandchild = os.fork()
        if grandchild == 0:
            guest.say(f"shared with a child {hostname()}")
            set_hostname(b"other")
            os._exit(0)
        os.waitpid(grandchild, 0)
        guest.say(f"{hostname()}")
        os._exit(0)
    os.waitpid(pid, 0)
    guest.say(f"outside as before {hostname() == before}")


main()
