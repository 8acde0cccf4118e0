"""A subreaper outside a pid namespace adopts nobody from inside, one inside does."""

import os
import signal

from workloads import guest


def orphan_of(label):
    read, write = os.pipe()
    middle = os.fork()
    if middle == 0:
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)
            guest.say(f"{label}: parent {os.getppid()}")
            os._exit(5)
        os._exit(0)
    os.waitpid(middle, 0)
    os.close(write)
    os.close(read)


def main():
    guest.prctl(guest.PR_SET_CHILD_SUBREAPER, 1)
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid:
        guest.say(f"{os.waitpid(pid, 0)[1]}")
        try:
            os.wait()
        except ChildProcessError:
            guest.say("nobody came out")
        return
    worker = os.fork()
    if worker == 0:
        orphan_of("no subreaper inside")
        os._exit(0)
    os.waitpid(worker, 0)
    os.wait()
    worker = os.fork()
    if worker == 0:
        guest.prctl(guest.PR_SET_CHILD_SUBREAPER, 1)
        orphan_of("with one")
        status = os.wait()[1]
        guest.say(f"reaped by it {status >> 8} {os.getpid()}")
        os._exit(0)
    os.waitpid(worker, 0)
    os._exit(0)


main()
