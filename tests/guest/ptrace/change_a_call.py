"""A tracer can make a call come to nothing, turn it into another, and change what it returned."""

import os
import signal

from workloads import guest


def child():
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    os.umask(0o11)
    try:
        os.getsid(0)
    except OSError as error:
        os.write(1, b"refused %d\n" % error.errno)
    os.write(1, b"mask is %o\n" % os.umask(0o33))
    os.write(1, b"ppid %d\n" % os.getppid())
    try:
        os.getpgid(0)
    except OSError as error:
        os.write(1, b"pgid %d\n" % error.errno)
    os._exit(1)


def next_call(pid, number):
    """Run the tracee to the entry of its next call of ``number``."""
    while True:
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
        os.waitpid(pid, 0)
        if guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.ORIG_RAX) == number:
            return
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
        os.waitpid(pid, 0)


def poke(pid, register, value):
    guest.ptrace(guest.PTRACE_POKEUSER, pid, 8 * register, value)


def to_exit(pid):
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    os.waitpid(pid, 0)


def main():
    pid = os.fork()
    if pid == 0:
        child()
    os.waitpid(pid, 0)
    next_call(pid, 95)
    poke(pid, guest.RDI, 0o77)
    to_exit(pid)
    next_call(pid, 124)
    poke(pid, guest.ORIG_RAX, -1)
    to_exit(pid)
    print(guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.RAX))
    next_call(pid, 95)
    to_exit(pid)
    next_call(pid, 110)
    to_exit(pid)
    poke(pid, guest.RAX, 4711)
    next_call(pid, 121)
    to_exit(pid)
    poke(pid, guest.RAX, -13)
    next_call(pid, 231)
    poke(pid, guest.RDI, 44)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
