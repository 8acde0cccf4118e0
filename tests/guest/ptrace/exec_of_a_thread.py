"""A thread of a traced process execs: it becomes the leader; the tracer learns its old number."""

import os
import signal
import threading

from workloads import guest


def run_true(read_end):
    os.read(read_end, 1)
    os.execv("/bin/true", ["true"])


def child(read_end):
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    thread = threading.Thread(target=run_true, args=(read_end,))
    thread.start()
    thread.join()


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        child(read_end)
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACECLONE | guest.PTRACE_O_TRACEEXEC
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.waitpid(pid, 0)
    tid = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    os.waitpid(tid, 0)
    guest.ptrace(guest.PTRACE_CONT, pid)
    guest.ptrace(guest.PTRACE_CONT, tid)
    os.write(write_end, b"x")
    status = os.waitpid(pid, 0)[1]
    message = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    print(hex(status), message == tid)
    try:
        os.waitpid(tid, os.WNOHANG)
    except ChildProcessError:
        print("the thread's number is gone")
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
