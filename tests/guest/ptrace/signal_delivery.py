"""A tracer sees each signal before the tracee acts on it, and may drop, replace or add one."""

import os
import signal

from workloads import guest

SEEN = []


def handler(number, frame):
    SEEN.append(number)


def child():
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    signal.signal(signal.SIGUSR1, handler)
    signal.signal(signal.SIGUSR2, handler)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    me = os.getpid()
    for number in (
        signal.SIGUSR1,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGHUP,
        signal.SIGCHLD,
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGCONT,
    ):
        os.kill(me, number)
    pending = signal.sigpending()
    os._exit(len(SEEN) * 10 + len(pending) + (100 if SEEN == [10, 12, 12] else 0))


def main():
    pid = os.fork()
    if pid == 0:
        child()
    # the first is dropped, the second passed on, the interrupt becomes SIGUSR2
    answers = {1: 0, 2: signal.SIGUSR1, 3: signal.SIGUSR2, 4: signal.SIGHUP, 6: signal.SIGUSR2}
    count = 0
    while True:
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSTOPPED(status):
            break
        count += 1
        number = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_SIGNO)
        code = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_CODE)
        sender = guest.ptrace(guest.PTRACE_GETSIGINFO, pid, guest.SIGINFO_PID)
        print(count, hex(status), number, code, sender == pid)
        guest.ptrace(guest.PTRACE_CONT, pid, 0, answers.get(count, 0))
    print(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
