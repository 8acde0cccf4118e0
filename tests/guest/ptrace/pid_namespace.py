"""A tracer outside a pid namespace is told the numbers that it knows itself."""

import os
import signal

from workloads import guest


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        guest.unshare(guest.CLONE_NEWPID)
        inner = os.fork()
        if inner == 0:
            os.execv("/bin/true", ["true"])
        os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) + 3)
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACEFORK | guest.PTRACE_O_TRACEEXEC
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))
    inner = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    seen, status = os.waitpid(inner, 0)
    print(seen == inner, inner > 1, hex(status))
    guest.ptrace(guest.PTRACE_CONT, pid)
    guest.ptrace(guest.PTRACE_CONT, inner)
    status = os.waitpid(inner, 0)[1]
    print(hex(status), guest.ptrace(guest.PTRACE_GETEVENTMSG, inner) == inner)
    guest.ptrace(guest.PTRACE_CONT, inner)
    print(hex(os.waitpid(inner, 0)[1]))
    status = os.waitpid(pid, 0)[1]
    print(hex(status), guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_PID) == inner)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
