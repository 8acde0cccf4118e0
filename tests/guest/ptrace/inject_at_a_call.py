"""A signal given with PTRACE_SYSCALL at a call's stop is sent, and stops the tracee once more."""

import os
import signal

from workloads import guest

SEEN = []


def handler(number, frame):
    SEEN.append(number)


def main():
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, handler)
        signal.signal(signal.SIGUSR2, handler)
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.getppid()
        os._exit(len(SEEN) + sum(SEEN))
    os.waitpid(pid, 0)
    while guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.ORIG_RAX) != 110:
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
        os.waitpid(pid, 0)
    guest.ptrace(guest.PTRACE_SYSCALL, pid, 0, signal.SIGUSR1)
    print("exit", hex(os.waitpid(pid, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGUSR2)
    for _ in range(2):
        status = os.waitpid(pid, 0)[1]
        code = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_CODE)
        sender = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_PID)
        print(hex(status), code, sender)
        guest.ptrace(guest.PTRACE_CONT, pid, 0, os.WSTOPSIG(status))
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
