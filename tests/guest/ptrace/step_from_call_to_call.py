"""A tracer that steps a child from system call to system call sees each entry and its result."""

import os
import signal

from workloads import guest

NAMES = {39: "getpid", 110: "getppid", 95: "umask", 33: "dup2", 62: "kill", 231: "exit_group"}


def child():
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    os.getppid()
    os.umask(0o27)
    os.dup2(1, 9)
    try:
        os.dup2(77, 9)
    except OSError:
        os.getppid()
    os.kill(os.getpid(), 0)
    os._exit(5)


def register(pid, number):
    return guest.ptrace(guest.PTRACE_PEEKUSER, pid, 8 * number)


def trace(pid):
    mine = {pid: "child", os.getpid(): "tracer"}
    os.waitpid(pid, 0)
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, guest.PTRACE_O_TRACESYSGOOD)
    while True:
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSTOPPED(status):
            return status
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            print("signal", os.WSTOPSIG(status))
            continue
        call = register(pid, guest.ORIG_RAX)
        if call not in NAMES:
            continue
        result = register(pid, guest.RAX)
        what = guest.ptrace(guest.PTRACE_GET_SYSCALL_INFO, pid)
        if what == guest.PTRACE_SYSCALL_INFO_ENTRY:
            first = register(pid, guest.RDI)
            first = "" if call in (39, 110) else mine.get(first, first)
            print(f"{NAMES[call]}({first}", end=", ")
            print("not yet" if result == -38 else result, end=") = ")
        else:
            print(mine.get(result, result))


def main():
    pid = os.fork()
    if pid == 0:
        child()
    status = trace(pid)
    print()
    print("exit", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
