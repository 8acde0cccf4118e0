"""Handlers run as without a tracer once it passes signals on: the last taken runs first."""

import os
import signal

from workloads import guest

SEEN = []


def handler(number, frame):
    SEEN.append(number)


def main():
    pid = os.fork()
    if pid == 0:
        numbers = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGTERM]
        for number in numbers:
            signal.signal(number, handler)
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        for number in numbers:
            os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        os.write(1, repr(SEEN).encode() + b"\n")
        os._exit(len(SEEN))
    while True:
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSTOPPED(status):
            break
        number = os.WSTOPSIG(status)
        print("stop", number)
        if number == signal.SIGUSR2:
            number = 0
        if number == signal.SIGTERM:
            number = signal.SIGUSR2
        guest.ptrace(guest.PTRACE_CONT, pid, 0, number)
    print(hex(status))


if __name__ == "__main__":
    main()
