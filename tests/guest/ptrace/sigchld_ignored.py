"""A parent that ignores SIGCHLD still gets the zombies of children it traces."""

import os
import signal

from workloads import guest


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    traced = os.fork()
    if traced == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os._exit(4)
    print(hex(os.waitpid(traced, 0)[1]))
    plain = os.fork()
    if plain == 0:
        os._exit(5)
    try:
        os.waitpid(plain, 0)
    except ChildProcessError:
        print("reaped by itself")


if __name__ == "__main__":
    main()
