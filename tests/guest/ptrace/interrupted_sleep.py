"""A call that a dropped signal interrupted begins again; its exit shows the kernel's own number."""

import os
import signal

from workloads import guest


def entry(pid, number):
    """Run the tracee to the entry of a call of ``number``; return its first argument."""
    while True:
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
        os.waitpid(pid, 0)
        if guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.ORIG_RAX) == number:
            return
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
        os.waitpid(pid, 0)


def rax(pid):
    return guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.RAX)


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.write(1, os.read(read_end, 9) + b"\n")
        signal.pause()
        os._exit(3)
    os.waitpid(pid, 0)
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, guest.PTRACE_O_TRACESYSGOOD)
    entry(pid, 0)
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    os.kill(pid, signal.SIGUSR1)
    status = os.waitpid(pid, 0)[1]
    print("exit", hex(status), rax(pid))
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    status = os.waitpid(pid, 0)[1]
    again = guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * guest.ORIG_RAX)
    print("signal", hex(status), again, rax(pid))
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    status = os.waitpid(pid, 0)[1]
    print("again", hex(status), rax(pid))
    os.write(write_end, b"data")
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    os.waitpid(pid, 0)
    print("read", rax(pid))
    entry(pid, 34)
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.kill(pid, signal.SIGTERM)
    status = os.waitpid(pid, 0)[1]
    guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGTERM)
    print(hex(status), hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
