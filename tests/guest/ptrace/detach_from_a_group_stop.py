"""Detached in a group stop, a process stays stopped; a signal given with the detaching is lost."""

import os
import signal

from workloads import guest


def state(pid):
    fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    text = os.read(fd, 1000)
    os.close(fd)
    return text.split(b") ")[1][:1]


def main():
    for number in (0, signal.SIGTERM):
        pid = os.fork()
        if pid == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(4)
        os.waitpid(pid, os.WUNTRACED)
        guest.ptrace(guest.PTRACE_SEIZE, pid)
        print(hex(os.waitpid(pid, 0)[1]))
        guest.ptrace(guest.PTRACE_DETACH, pid, 0, number)
        print(os.waitpid(pid, os.WNOHANG))
        while state(pid) != b"T":
            os.sched_yield()
        os.kill(pid, signal.SIGCONT)
        print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
