"""PTRACE_SETSIGINFO changes what a signal carries to whoever takes it in the tracee."""

import os
import signal

from workloads import guest


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        os.kill(os.getpid(), signal.SIGSTOP)
        info = signal.sigwaitinfo([signal.SIGUSR1])
        os.write(1, b"%d %d %d\n" % (info.si_signo, info.si_pid, info.si_uid))
        os._exit(0)
    os.waitpid(pid, 0)
    # held back until it is blocked: a blocked signal that is passed on is queued again
    guest.ptrace(guest.PTRACE_SETSIGINFO, pid, guest.SIGINFO_PID, 12345)
    guest.ptrace(guest.PTRACE_SETSIGINFO, pid, guest.SIGINFO_UID, 77)
    print(guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_PID))
    guest.ptrace(guest.PTRACE_SETSIGMASK, pid, 0, 1 << 9)
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGUSR1)
    print(hex(os.waitpid(pid, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
