"""SIGKILL ends a tracee out of any stop, with its exit event if asked for; nothing can hold it."""

import os
import signal

from workloads import guest


def start():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.getppid()
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def main():
    pid = start()
    os.kill(pid, signal.SIGKILL)
    print("in a signal's stop", hex(os.waitpid(pid, 0)[1]))
    pid = start()
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGSTOP)
    print(hex(os.waitpid(pid, 0)[1]))
    os.kill(pid, signal.SIGKILL)
    print("in a group stop", hex(os.waitpid(pid, 0)[1]))
    pid = start()
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    print(hex(os.waitpid(pid, 0)[1]))
    os.kill(pid, signal.SIGKILL)
    print("at a call's entry", hex(os.waitpid(pid, 0)[1]))
    pid = start()
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, guest.PTRACE_O_TRACEEXIT)
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    print("event", hex(status), guest.ptrace(guest.PTRACE_GETEVENTMSG, pid))
    os.kill(pid, signal.SIGKILL)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))
    pid = start()
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGKILL)
    print("passed on", hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
