"""A parent-death SIGKILL ends an init whose parent, outside, has died; a SIGTERM does not."""

import os
import signal

from workloads import guest


def container(number, ready):
    guest.prctl(guest.PR_SET_PDEATHSIG, number)
    os.write(ready, b"x")
    while True:
        signal.pause()


def main():
    guest.prctl(guest.PR_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGKILL, signal.SIGTERM):
        told, ready = os.pipe()
        middle = os.fork()
        if middle == 0:
            pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
            if pid == 0:
                container(number, ready)
            os.read(told, 1)
            os._exit(0)
        os.waitpid(middle, 0)
        if number == signal.SIGTERM:
            guest.say(f"alive: {os.waitpid(-1, os.WNOHANG)}")
            os.kill(-os.getpgrp(), 0)
            break
        guest.say(f"ended by {os.WTERMSIG(os.wait()[1])}")
    children = open_children()
    os.kill(children[0], signal.SIGKILL)
    guest.say(f"ended by {os.WTERMSIG(os.wait()[1])}")


def open_children():
    fd = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
    text = os.read(fd, 100).decode()
    os.close(fd)
    return [int(word) for word in text.split()]


main()
