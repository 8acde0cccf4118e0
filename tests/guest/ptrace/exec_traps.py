"""An exec of a tracee sends it SIGTRAP, or is an event if asked for; a failed one does neither."""

import os
import signal

from workloads import guest


def start():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            os.execv("/bin/nothing", ["nothing"])
        except OSError:
            pass
        os.execv("/bin/true", ["true"])
    os.waitpid(pid, 0)
    return pid


def main():
    for options in (0, guest.PTRACE_O_TRACEEXEC, guest.PTRACE_O_TRACESYSGOOD):
        pid = start()
        guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
        guest.ptrace(guest.PTRACE_CONT, pid)
        status = os.waitpid(pid, 0)[1]
        code = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_CODE)
        message = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
        print(hex(status), code, message == pid, message == 0)
        guest.ptrace(guest.PTRACE_CONT, pid)
        print(hex(os.waitpid(pid, 0)[1]))
    pid = start()
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.waitpid(pid, 0)
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGTRAP)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
