"""Stepped through an exec, a tracee shows the call's entry, the event, and the exit of the call."""

import os
import signal

from workloads import guest


def show(pid):
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    status = os.waitpid(pid, 0)[1]
    number = guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.ORIG_RAX)
    result = guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.RAX)
    what = guest.ptrace(guest.PTRACE_GET_SYSCALL_INFO, pid)
    print(hex(status), number, result, what)


def main():
    for options in (guest.PTRACE_O_TRACESYSGOOD, guest.PTRACE_O_TRACEEXEC):
        pid = os.fork()
        if pid == 0:
            guest.ptrace(guest.PTRACE_TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.getppid()
            os.execv("/bin/true", ["true"])
        os.waitpid(pid, 0)
        guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
        while guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.ORIG_RAX) != 59:
            guest.ptrace(guest.PTRACE_SYSCALL, pid)
            os.waitpid(pid, 0)
        for _ in range(2):
            show(pid)
        guest.ptrace(guest.PTRACE_CONT, pid)
        print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
