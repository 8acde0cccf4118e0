"""Attaching to a stopped child turns its stop into a trap at once; detaching stops it again."""

import os
import signal

from workloads import guest


def main():
    for attach in (guest.PTRACE_ATTACH, guest.PTRACE_SEIZE):
        pid = os.fork()
        if pid == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(5)
        print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
        guest.ptrace(attach, pid)
        status = os.waitpid(pid, os.WNOHANG)[1]
        print("at once", hex(status))
        if attach == guest.PTRACE_ATTACH:
            # the SIGSTOP of the attaching itself waits still
            guest.ptrace(guest.PTRACE_CONT, pid)
            print(hex(os.waitpid(pid, 0)[1]))
        guest.ptrace(guest.PTRACE_DETACH, pid)
        # it stops again, which has been reported already
        print(os.waitpid(pid, os.WUNTRACED | os.WNOHANG))
        os.kill(pid, signal.SIGCONT)
        print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
