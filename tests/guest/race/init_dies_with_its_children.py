"""A pid namespace's init dies at the same time as its children and theirs: nobody is left."""

import os
import signal

from workloads import guest


def main():
    read, write = os.pipe()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        os.close(read)
        gate_read, gate_write = os.pipe()
        for number in range(4):
            if os.fork() == 0:
                os.close(gate_write)
                os.read(gate_read, 1)
                if number % 2:
                    try:
                        os.fork()
                    except OSError:  # ENOMEM: the namespace takes nobody any more
                        pass
                os._exit(0)
        os.close(gate_write)
        os._exit(3)
    os.close(write)
    print("init", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print("all gone", os.read(read, 1) == b"")


main()
