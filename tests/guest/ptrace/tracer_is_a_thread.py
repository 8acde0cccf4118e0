"""The tracer is a thread: others of its process may wait for the tracee but not command it."""

import os
import signal
import threading

from workloads import guest

RESULT = []


def other(pid):
    try:
        guest.ptrace(guest.PTRACE_CONT, pid)
    except OSError as error:
        RESULT.append(error.errno)
    RESULT.append(os.waitpid(pid, os.WNOHANG)[1])
    try:
        os.waitpid(pid, os.WNOHANG | 0x20000000)
    except ChildProcessError:
        RESULT.append("not a child of this thread")


def tracer(pid):
    guest.ptrace(guest.PTRACE_SEIZE, pid, 0, guest.PTRACE_O_EXITKILL)


def main():
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(3)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    thread = threading.Thread(target=other, args=(pid,))
    thread.start()
    thread.join()
    print(RESULT)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))
    pid = os.fork()
    if pid == 0:
        signal.pause()
    # the end of the thread is the end of the tracer
    thread = threading.Thread(target=tracer, args=(pid,))
    thread.start()
    thread.join()
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
