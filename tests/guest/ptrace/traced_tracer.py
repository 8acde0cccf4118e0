"""A tracer may be traced itself: each sees its own tracee's stops only."""

import os
import signal

from workloads import guest


def inner():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGUSR1)
        os._exit(3)
    status = os.waitpid(pid, 0)[1]
    os.write(1, b"inner sees %x\n" % status)
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    os.write(1, b"inner sees %x\n" % status)
    os._exit(4)


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        inner()
    counts = {}
    while True:
        seen, status = os.wait()
        if not os.WIFSTOPPED(status):
            break
        number = os.WSTOPSIG(status)
        counts[number] = counts.get(number, 0) + 1
        guest.ptrace(guest.PTRACE_CONT, pid, 0, number)
    print(seen == pid, hex(status), sorted(counts))


if __name__ == "__main__":
    main()
