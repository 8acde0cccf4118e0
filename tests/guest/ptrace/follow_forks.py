"""A tracer that follows all forks, threads and programs of a child sees each task to its end."""

import os
import signal
import threading

from workloads import guest

OPTIONS = (
    guest.PTRACE_O_TRACESYSGOOD
    | guest.PTRACE_O_TRACEFORK
    | guest.PTRACE_O_TRACEVFORK
    | guest.PTRACE_O_TRACECLONE
    | guest.PTRACE_O_TRACEEXEC
    | guest.PTRACE_O_TRACEEXIT
    | guest.PTRACE_O_EXITKILL
)


def work():
    pid = os.fork()
    if pid == 0:
        os.execv("/bin/true", ["true"])
    os.waitpid(pid, 0)


def child():
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    thread = threading.Thread(target=work)
    thread.start()
    for code in range(2):
        pid = os.fork()
        if pid == 0:
            if code:
                os._exit(3)
            os.kill(os.getpid(), signal.SIGTERM)
        os.waitpid(pid, 0)
    thread.join()
    pid = os.posix_spawn("/bin/false", ["false"], {})
    os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) + 20)


def main():
    pid = os.fork()
    if pid == 0:
        child()
    os.waitpid(pid, 0)
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, OPTIONS)
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    events = {}
    ends = []
    calls = 0
    while True:
        try:
            seen, status = os.waitpid(-1, 0x40000000)
        except ChildProcessError:
            break
        if not os.WIFSTOPPED(status):
            ends.append(status)
            continue
        number = os.WSTOPSIG(status)
        if status >> 16:
            events[status >> 16] = events.get(status >> 16, 0) + 1
            number = 0
        elif number == signal.SIGTRAP | 0x80:
            calls += guest.ptrace(guest.PTRACE_PEEKUSER, seen, 8 * guest.ORIG_RAX) == 62
            number = 0
        elif number == signal.SIGSTOP:
            number = 0
        guest.ptrace(guest.PTRACE_SYSCALL, seen, 0, number)
    print(sorted(events.items()), sorted(ends), calls)


if __name__ == "__main__":
    main()
