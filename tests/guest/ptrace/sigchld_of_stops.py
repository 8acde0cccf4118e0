"""Each stop of a tracee sends its tracer SIGCHLD with CLD_TRAPPED and the stop's signal."""

import os
import signal

from workloads import guest


def show(pid):
    info = signal.sigwaitinfo([signal.SIGCHLD])
    print(info.si_code, info.si_status, info.si_pid == pid, end=" ")
    print(hex(os.waitpid(pid, 0)[1]))


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGSTOP)
        if os.fork() == 0:
            os._exit(0)
        os.getppid()
        os._exit(3)
    show(pid)
    guest.ptrace(guest.PTRACE_CONT, pid)
    show(pid)
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGSTOP)
    show(pid)
    options = guest.PTRACE_O_TRACESYSGOOD | guest.PTRACE_O_TRACEEXIT
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    show(pid)
    guest.ptrace(guest.PTRACE_CONT, pid)
    info = signal.sigwaitinfo([signal.SIGCHLD])
    status = os.waitpid(pid, 0)[1]
    while status >> 16 == 0:
        guest.ptrace(guest.PTRACE_CONT, pid)
        info = signal.sigwaitinfo([signal.SIGCHLD])
        status = os.waitpid(pid, 0)[1]
    print(info.si_code, info.si_status, hex(status))
    guest.ptrace(guest.PTRACE_CONT, pid)
    show(pid)


if __name__ == "__main__":
    main()
