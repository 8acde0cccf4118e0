"""A child without SIGCHLD as its exit signal is a CLONE event; its tracer needs no __WALL."""

import os
import signal

from workloads import guest

WCLONE = -0x80000000


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        new = guest.clone(signal.SIGUSR1)
        if new == 0:
            os._exit(4)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(new, WCLONE)[1]) + 1)
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACECLONE | guest.PTRACE_O_TRACEFORK
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    print(hex(status), status >> 16 == guest.PTRACE_EVENT_CLONE)
    new = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    print(hex(os.waitpid(new, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    guest.ptrace(guest.PTRACE_CONT, new)
    print(hex(os.waitpid(new, 0)[1]))
    # its parent is told with the signal it chose, which its tracer sees
    status = os.waitpid(pid, 0)[1]
    code = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_CODE)
    value = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_STATUS)
    print(hex(status), code, value)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
