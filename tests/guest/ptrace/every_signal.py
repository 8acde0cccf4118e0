"""A tracee that sends itself any signal stops with it first; only SIGKILL kills without a word."""

import os

from workloads import guest


def main():
    for number in range(1, 65):
        if number in (32, 33):
            continue
        pid = os.fork()
        if pid == 0:
            guest.ptrace(guest.PTRACE_TRACEME, 0)
            os.kill(os.getpid(), number)
            os._exit(0)
        status = os.waitpid(pid, 0)[1]
        text = f"{number} {status:#x}"
        if os.WIFSTOPPED(status):
            guest.ptrace(guest.PTRACE_CONT, pid)
            text += f" {os.waitpid(pid, 0)[1]:#x}"
        print(text)


if __name__ == "__main__":
    main()
