"""PTRACE_SEIZE stops nothing, INTERRUPT does; LISTEN leaves a stopped task stopped, watched."""

import os
import signal

from workloads import guest


def code(pid):
    return hex(guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_CODE))


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(read_end, 1)
        os._exit(8)
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    print(os.waitpid(pid, os.WNOHANG))
    guest.ptrace(guest.PTRACE_INTERRUPT, pid)
    status = os.waitpid(pid, 0)[1]
    print("interrupted", hex(status), code(pid), status >> 16 == guest.PTRACE_EVENT_STOP)
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.kill(pid, signal.SIGSTOP)
    status = os.waitpid(pid, 0)[1]
    print("signal", hex(status), code(pid))
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGSTOP)
    status = os.waitpid(pid, 0)[1]
    print("group stop", hex(status), code(pid))
    guest.ptrace(guest.PTRACE_LISTEN, pid)
    print(os.waitpid(pid, os.WNOHANG))
    try:
        guest.ptrace(guest.PTRACE_CONT, pid)
    except OSError as error:
        print("listening", error.errno)
    os.kill(pid, signal.SIGCONT)
    status = os.waitpid(pid, 0)[1]
    print("notified", hex(status), code(pid))
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    print("signal", hex(status), code(pid))
    guest.ptrace(guest.PTRACE_CONT, pid)
    guest.ptrace(guest.PTRACE_INTERRUPT, pid)
    status = os.waitpid(pid, 0)[1]
    print("interrupted", hex(status))
    try:
        guest.ptrace(guest.PTRACE_LISTEN, pid)
        print("listens")
    except OSError as error:
        print("listen", error.errno)
    guest.ptrace(guest.PTRACE_INTERRUPT, pid)
    status = os.waitpid(pid, 0)[1]
    print("again", hex(status))
    os.write(write_end, b"x")
    guest.ptrace(guest.PTRACE_DETACH, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
