"""A tracer reads and sets a tracee's set of blocked signals; SIGKILL and SIGSTOP stay out of it."""

import os
import signal

from workloads import guest


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(len(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    print(hex(os.waitpid(pid, 0)[1]))
    mask = guest.ptrace(guest.PTRACE_GETSIGMASK, pid)
    print(hex(mask))
    guest.ptrace(guest.PTRACE_SETSIGMASK, pid, 0, (1 << 18) | (1 << 8) | (1 << 11) | (1 << 14))
    print(hex(guest.ptrace(guest.PTRACE_GETSIGMASK, pid)))
    guest.ptrace(guest.PTRACE_CONT, pid)
    # SIGUSR1 is not blocked any more
    print(hex(os.waitpid(pid, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
