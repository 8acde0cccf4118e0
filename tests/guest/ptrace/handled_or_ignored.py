"""A traced child stops for a signal it ignores or handles; KILL ends it, CONT lets it exit."""

import os
import signal

from workloads import guest


def handler(number, frame):
    os.write(1, b"handled\n")


def main():
    for action in (signal.SIG_IGN, handler, signal.SIG_DFL):
        for request in (guest.PTRACE_KILL, guest.PTRACE_CONT):
            pid = os.fork()
            if pid == 0:
                guest.ptrace(guest.PTRACE_TRACEME, 0)
                signal.signal(signal.SIGUSR2, action)
                os.kill(os.getpid(), signal.SIGUSR2)
                os._exit(0)
            print(hex(os.waitpid(pid, 0)[1]))
            guest.ptrace(request, pid, 0, signal.SIGUSR2)
            print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
