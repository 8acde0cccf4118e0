"""What waitid and the options of wait show of a tracee's stop, and how often."""

import os
import signal

from workloads import guest


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGUSR1)
        os._exit(3)
    for options in (os.WEXITED | os.WSTOPPED | os.WNOWAIT, os.WEXITED | os.WNOWAIT, os.WEXITED):
        result = os.waitid(os.P_PID, pid, options)
        print(result.si_code == os.CLD_TRAPPED, result.si_status, result.si_signo)
    print(os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOHANG))
    guest.ptrace(guest.PTRACE_CONT, pid)
    result = os.waitid(os.P_ALL, 0, os.WCONTINUED)
    print(result.si_code == os.CLD_TRAPPED, result.si_status)
    guest.ptrace(guest.PTRACE_CONT, pid)
    result = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED)
    print(result.si_code == os.CLD_EXITED, result.si_status)


if __name__ == "__main__":
    main()
