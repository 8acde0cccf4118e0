"""The child of a seized task starts in a trap, without any signal."""

import os

from workloads import guest


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(read_end, 1)
        new = os.fork()
        if new == 0:
            os._exit(2)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(new, 0)[1]) + 1)
    guest.ptrace(guest.PTRACE_SEIZE, pid, 0, guest.PTRACE_O_TRACEFORK)
    os.write(write_end, b"x")
    print(hex(os.waitpid(pid, 0)[1]))
    new = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(new, 0)[1]
    code = guest.ptrace(guest.PTRACE_GETSIGINFO, new, guest.SIGINFO_CODE)
    print(hex(status), hex(code), guest.ptrace(guest.PTRACE_GETEVENTMSG, new))
    guest.ptrace(guest.PTRACE_CONT, new)
    print(hex(os.waitpid(new, 0)[1]))
    status = os.waitpid(pid, 0)[1]
    print(hex(status))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
