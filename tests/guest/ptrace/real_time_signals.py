"""Real-time signals of one number queue and stop a tracee each; standard ones are merged."""

import os
import signal

from workloads import guest


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        numbers = [signal.SIGUSR1, 40, 41]
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        for number in (41, 40, 40, signal.SIGUSR1, signal.SIGUSR1, 41):
            os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        os._exit(0)
    while True:
        status = os.waitpid(pid, 0)[1]
        print(hex(status))
        if not os.WIFSTOPPED(status):
            break
        guest.ptrace(guest.PTRACE_CONT, pid)


if __name__ == "__main__":
    main()
