"""A tracee whose parent dies gets a new parent and keeps its tracer; the tracer reaps it first."""

import os

from workloads import guest


def main():
    read_end, write_end = os.pipe()
    pid_read, pid_write = os.pipe()
    parent = os.fork()
    if parent == 0:
        mine = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.read(read_end, 1)
            os._exit(40 + (os.getppid() == mine))
        os.write(pid_write, b"%d" % pid)
        os.read(read_end, 1)
        os._exit(0)
    pid = int(os.read(pid_read, 20))
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    os.kill(parent, 9)
    print(hex(os.waitpid(parent, 0)[1]))
    guest.ptrace(guest.PTRACE_INTERRUPT, pid)
    print(hex(os.waitpid(pid, 0)[1]))
    os.write(write_end, b"x")
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        print("no more")


if __name__ == "__main__":
    main()
