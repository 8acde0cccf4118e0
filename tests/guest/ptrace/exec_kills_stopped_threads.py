"""An exec kills the process's other threads even where they stand in a stop of their tracer."""

import _thread
import os
import signal

from workloads import guest


def work(read_end):
    os.read(read_end, 1)


def main():
    read_end = os.pipe()[0]
    go_read, go_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _thread.start_new_thread(work, (read_end,))
        os.read(go_read, 1)
        os.execv("/bin/true", ["true"])
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACECLONE | guest.PTRACE_O_TRACEEXEC
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.waitpid(pid, 0)
    tid = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    print(hex(os.waitpid(tid, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    # the thread stays where it is
    os.write(go_write, b"x")
    print(hex(os.waitpid(tid, 0)[1]))
    print(hex(os.waitpid(pid, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
