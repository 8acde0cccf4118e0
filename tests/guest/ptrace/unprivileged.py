"""Without privilege one may not trace root's processes, nor those of another user."""

import os

from workloads import guest


def tried(text, request, pid):
    try:
        guest.ptrace(request, pid)
        print(text, "done")
    except OSError as error:
        print(text, error.errno)


def main():
    read_end, write_end = os.pipe()
    roots = os.fork()
    if roots == 0:
        os.read(read_end, 1)
        os._exit(0)
    ready_read, ready_write = os.pipe()
    other = os.fork()
    if other == 0:
        os.setgid(12)
        os.setuid(12)
        os.write(ready_write, b"r")
        os.read(read_end, 1)
        os._exit(0)
    os.read(ready_read, 1)
    pid = os.fork()
    if pid == 0:
        os.setgid(11)
        os.setuid(11)
        tried("root's", guest.PTRACE_ATTACH, roots)
        tried("root's", guest.PTRACE_SEIZE, roots)
        tried("another's", guest.PTRACE_SEIZE, other)
        tried("init", guest.PTRACE_SEIZE, 1)
        tried("nobody", guest.PTRACE_SEIZE, 1 << 21)
        tried("traceme", guest.PTRACE_TRACEME, 0)
        os._exit(0)
    print(hex(os.waitpid(pid, 0)[1]))
    guest.ptrace(guest.PTRACE_SEIZE, other)
    guest.ptrace(guest.PTRACE_INTERRUPT, other)
    print(hex(os.waitpid(other, 0)[1]))
    guest.ptrace(guest.PTRACE_DETACH, other)
    os.write(write_end, b"xx")
    print(hex(os.waitpid(roots, 0)[1]), hex(os.waitpid(other, 0)[1]))


if __name__ == "__main__":
    main()
