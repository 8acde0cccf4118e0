"""PTRACE_O_TRACEFORK: the tracer is told the new pid and traces the child from its first moment."""

import os
import signal

from workloads import guest


def child():
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    status = os.waitpid(pid, 0)[1]
    os._exit(os.waitstatus_to_exitcode(status) + 10)


def main():
    pid = os.fork()
    if pid == 0:
        child()
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACEFORK | guest.PTRACE_O_TRACEEXIT
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    print("fork", hex(status), status >> 16 == guest.PTRACE_EVENT_FORK)
    new = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    status = os.waitpid(new, 0)[1]
    print("new", hex(status), new != pid)
    print(guest.ptrace(guest.PTRACE_PEEKUSER, new, 8 * guest.ORIG_RAX) == 56)
    print(guest.ptrace(guest.PTRACE_PEEKUSER, new, 8 * guest.RAX))
    # the parent waits for it, and has nothing to see while it is ours
    guest.ptrace(guest.PTRACE_CONT, pid)
    guest.ptrace(guest.PTRACE_CONT, new)
    status = os.waitpid(new, 0)[1]
    message = guest.ptrace(guest.PTRACE_GETEVENTMSG, new)
    print("exit of new", hex(status), hex(message))
    guest.ptrace(guest.PTRACE_CONT, new)
    print("new", hex(os.waitpid(new, 0)[1]))
    # its parent is told only now: SIGCHLD stops it first
    status = os.waitpid(pid, 0)[1]
    print(hex(status), os.WSTOPSIG(status) == signal.SIGCHLD)
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    print("exit", hex(status), hex(guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
