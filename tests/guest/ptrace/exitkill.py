"""The end of a tracer frees its tracees; with PTRACE_O_EXITKILL it kills them."""

import os

from workloads import guest


def start(options, stopped):
    read_end, write_end = os.pipe()
    told_read, told_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        os.read(read_end, 1)
        os._exit(6)
    tracer = os.fork()
    if tracer == 0:
        guest.ptrace(guest.PTRACE_SEIZE, pid, 0, options)
        if stopped:
            guest.ptrace(guest.PTRACE_INTERRUPT, pid)
            os.waitpid(pid, 0)
        os._exit(0)
    os.waitpid(tracer, 0)
    os.write(write_end, b"x")
    status = os.waitpid(pid, 0)[1]
    print(options, stopped, os.waitstatus_to_exitcode(status))
    for fd in (read_end, write_end, told_read, told_write):
        os.close(fd)


def main():
    start(0, False)
    start(0, True)
    start(guest.PTRACE_O_EXITKILL, False)
    start(guest.PTRACE_O_EXITKILL, True)


if __name__ == "__main__":
    main()
