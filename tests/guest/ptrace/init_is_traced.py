"""Init may be traced like anybody: while it stands in a stop it reaps nobody."""

import os
import signal

from workloads import guest


def main():
    alive_read, alive_write = os.pipe()
    print(guest.ptrace(guest.PTRACE_ATTACH, 1))
    seen, status = os.waitpid(1, 0)
    print(seen, hex(status))
    pid = os.fork()
    if pid == 0:
        orphan = os.fork()
        if orphan == 0:
            os._exit(0)
        os.write(alive_write, b"%d" % orphan)
        os._exit(0)
    orphan = int(os.read(alive_read, 20))
    print(hex(os.waitpid(pid, 0)[1]))
    os.kill(orphan, 0)
    print("a zombie is left")
    guest.ptrace(guest.PTRACE_CONT, 1)
    seen, status = os.waitpid(1, 0)
    print(seen, hex(status))
    guest.ptrace(guest.PTRACE_DETACH, 1, 0, signal.SIGCHLD)
    while True:
        try:
            os.kill(orphan, 0)
        except ProcessLookupError:
            break
        os.sched_yield()
    print("reaped")


if __name__ == "__main__":
    main()
