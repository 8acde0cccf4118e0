"""A pid namespace's init dies while others fork in it: nobody escapes, and init is reaped last."""

import os
import signal

from workloads import guest


def breed():
    for _ in range(5):
        try:
            os.fork()
        except OSError:
            break
    while True:
        os.getppid()


def main():
    read, write = os.pipe()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        os.close(read)
        told, ready = os.pipe()
        for _ in range(2):
            if os.fork() == 0:
                os.write(ready, b"x")
                breed()
        os.read(told, 1)
        os._exit(3)
    os.close(write)
    status = os.waitpid(pid, 0)[1]
    print("init", os.waitstatus_to_exitcode(status))
    print("all gone", os.read(read, 1) == b"")


main()
