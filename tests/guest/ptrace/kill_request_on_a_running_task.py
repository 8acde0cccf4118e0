"""PTRACE_KILL needs no stop: it kills a tracee that runs, one that sleeps and one that waits."""

import os
import signal

from workloads import guest


def main():
    read_end = os.pipe()[0]
    for how in ("runs", "sleeps", "pauses"):
        ready_read, ready_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            guest.ptrace(guest.PTRACE_TRACEME, 0)
            os.write(ready_write, b"r")
            while how == "runs":
                pass
            if how == "sleeps":
                os.read(read_end, 1)
            signal.pause()
        os.read(ready_read, 1)
        print(how, guest.ptrace(guest.PTRACE_KILL, pid), hex(os.waitpid(pid, 0)[1]))
        os.close(ready_read)
        os.close(ready_write)


if __name__ == "__main__":
    main()
