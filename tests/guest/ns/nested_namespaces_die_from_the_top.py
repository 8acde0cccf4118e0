"""Killing the outermost of three nested inits kills all levels; each sees numbers of its own."""

import os
import signal

from workloads import guest


def level(depth, write):
    guest.say(f"level {depth}: pid {os.getpid()} parent {os.getppid()}")
    if depth == 3:
        os.write(write, b"x")
        while True:
            signal.pause()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        level(depth + 1, write)
    os.write(write, b"x")
    os.waitpid(pid, 0)
    guest.say("never said")
    os._exit(0)


def main():
    read, write = os.pipe()
    top = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if top == 0:
        os.close(read)
        level(1, write)
    os.close(write)
    count = 0
    while count < 3:
        count += len(os.read(read, 3 - count))
    os.kill(top, signal.SIGKILL)
    guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(top, 0)[1])}")
    guest.say(f"end of file: {os.read(read, 1) == b''}")


main()
