"""A tracer of a process with threads: CLONE event, waits by tid, a thread's end is its alone."""

import os
import signal
import threading

from workloads import guest


def work(read_end):
    os.read(read_end, 1)


def child(read_end):
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    thread = threading.Thread(target=work, args=(read_end,))
    thread.start()
    thread.join()
    os.read(read_end, 1)
    os._exit(2)


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        child(read_end)
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACECLONE | guest.PTRACE_O_TRACEEXIT
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    tid = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
    print("clone", hex(status), tid != pid)
    print("thread", hex(os.waitpid(tid, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    guest.ptrace(guest.PTRACE_CONT, tid)
    try:
        os.kill(tid, 0)
        guest.ptrace(guest.PTRACE_ATTACH, tid)
    except OSError as error:
        print("attach again", error.errno)
    os.write(write_end, b"x")
    status = os.waitpid(tid, 0)[1]
    print("thread exits", hex(status), guest.ptrace(guest.PTRACE_GETEVENTMSG, tid))
    guest.ptrace(guest.PTRACE_CONT, tid)
    print("thread", hex(os.waitpid(tid, 0)[1]))
    try:
        os.waitpid(tid, 0)
    except ChildProcessError:
        print("gone")
    os.write(write_end, b"x")
    status = os.waitpid(pid, 0)[1]
    print("exits", hex(status), hex(guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
