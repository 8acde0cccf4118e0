"""CLONE_PTRACE hands the tracer on to a child, CLONE_UNTRACED keeps it off; neither does more."""

import os
import signal

from workloads import guest


def child(flags):
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    pid = guest.clone(flags | signal.SIGCHLD)
    if pid == 0:
        os._exit(1)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) + 20)


def run(flags, options):
    pid = os.fork()
    if pid == 0:
        child(flags)
    os.waitpid(pid, 0)
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    found = 0
    while True:
        seen, status = os.wait()
        name = "child" if seen == pid else "grandchild"
        if not os.WIFSTOPPED(status):
            print(name, hex(status))
            if seen == pid:
                return
            continue
        if os.WSTOPSIG(status) != signal.SIGCHLD:
            found += seen != pid
            if status >> 16:
                print(name, hex(status))
            elif found:
                print(name, "stops")
        guest.ptrace(guest.PTRACE_CONT, seen)


def main():
    run(0, 0)
    run(guest.CLONE_PTRACE, 0)
    run(guest.CLONE_UNTRACED, guest.PTRACE_O_TRACEFORK)
    run(guest.CLONE_UNTRACED | guest.CLONE_PTRACE, 0)
    pid = guest.clone(guest.CLONE_PTRACE | signal.SIGCHLD)
    if pid == 0:
        os._exit(9)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
