"""PTRACE_ATTACH stops a running child with SIGSTOP; after PTRACE_DETACH it goes on as before."""

import os
import signal

from workloads import guest


def main():
    read_end, write_end = os.pipe()
    back_read, back_write = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.read(read_end, 1)
        os.write(back_write, b"same" if os.getppid() == parent else b"other")
        os._exit(4)
    print(guest.ptrace(guest.PTRACE_ATTACH, pid))
    seen, status = os.waitpid(pid, 0)
    print(seen == pid, hex(status), os.WSTOPSIG(status) == signal.SIGSTOP)
    print(os.waitpid(pid, os.WNOHANG))
    os.write(write_end, b"x")
    print(guest.ptrace(guest.PTRACE_DETACH, pid))
    print(os.read(back_read, 9), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
