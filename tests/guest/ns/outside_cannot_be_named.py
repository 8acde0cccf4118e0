"""A process in a pid namespace cannot name anybody outside, whatever the numbers are there."""

import os
import signal

from workloads import guest

CALLS = 9


def call(which, number):
    if which == 0:
        return os.kill(number, 0)
    if which == 1:
        return os.getpgid(number)
    if which == 2:
        return os.getsid(number)
    if which == 3:
        return os.pidfd_open(number)
    if which == 4:
        return os.setpgid(0, number)
    if which == 5:
        return os.killpg(number, 0)
    if which == 6:
        return os.waitpid(number, 0)
    if which == 7:
        return os.getpriority(os.PRIO_PROCESS, number)
    return os.kill(1, 0)


def main():
    number = os.getpid() + 1000
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        for which in range(CALLS):
            try:
                guest.say(f"{which}: {call(which, number)}")
            except OSError as error:
                guest.say(f"{which}: {error.strerror}")
        os._exit(0)
    os.waitpid(pid, 0)


main()
