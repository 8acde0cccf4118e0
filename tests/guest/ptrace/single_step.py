"""PTRACE_SINGLESTEP lets a tracee go on a little and stops it with SIGTRAP, again and again."""

import os
import signal

from workloads import guest


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(20):
            os.getppid()
        os._exit(3)
    os.waitpid(pid, 0)
    for _ in range(3):
        guest.ptrace(guest.PTRACE_SINGLESTEP, pid)
        status = os.waitpid(pid, 0)[1]
        number = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_SIGNO)
        code = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_CODE)
        print(hex(status), number, code)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
