"""A stop signal that the tracer passes on makes a second stop, of the group, without a siginfo."""

import os
import signal

from workloads import guest


def info(pid):
    try:
        return guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_SIGNO)
    except OSError as error:
        return -error.errno


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGTSTP)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(7)
    for pass_on in (signal.SIGSTOP, 0, signal.SIGSTOP):
        status = os.waitpid(pid, 0)[1]
        print("signal", hex(status), info(pid))
        guest.ptrace(guest.PTRACE_CONT, pid, 0, pass_on)
        if pass_on:
            status = os.waitpid(pid, 0)[1]
            print("group", hex(status), info(pid))
            # it runs, and yet its process counts as stopped: SIGCONT is a continue
            guest.ptrace(guest.PTRACE_CONT, pid)
            break
    status = os.waitpid(pid, 0)[1]
    print("signal", hex(status), info(pid))
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGSTOP)
    status = os.waitpid(pid, 0)[1]
    print("group", hex(status), info(pid))
    os.kill(pid, signal.SIGCONT)
    print(os.waitpid(pid, os.WNOHANG))
    print(hex(os.waitpid(pid, os.WNOHANG | os.WCONTINUED)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    print("signal", hex(status), info(pid))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
