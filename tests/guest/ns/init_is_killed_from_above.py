"""SIGKILL and SIGSTOP from an ancestor namespace work on an init; an unhandled SIGTERM does not."""

import os
import signal

from workloads import guest


def main():
    read, write = os.pipe()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        os.write(write, b"x")
        while True:
            signal.pause()
    os.read(read, 1)
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGSTOP)
    status = os.waitpid(pid, os.WUNTRACED)[1]
    guest.say(f"stopped {os.WIFSTOPPED(status)} {os.WSTOPSIG(status)}")
    os.kill(pid, signal.SIGCONT)
    status = os.waitpid(pid, os.WCONTINUED)[1]
    guest.say(f"continued {os.WIFCONTINUED(status)}")
    os.kill(pid, signal.SIGKILL)
    guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


main()
