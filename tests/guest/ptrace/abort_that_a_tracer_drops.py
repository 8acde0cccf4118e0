"""A tracer drops both SIGABRT of an abort(): it ends by the fault of an instruction, at last."""

import os

from workloads import guest


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.abort()
    for dropped in range(5):
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSTOPPED(status):
            break
        number = os.WSTOPSIG(status)
        code = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_CODE)
        print(dropped, number, code)
        guest.ptrace(guest.PTRACE_CONT, pid, 0, number if dropped == 4 else 0)
    print(os.waitpid(pid, 0)[1] & 0x7F)


if __name__ == "__main__":
    main()
