"""An exec waits for the other threads to die; they wait for their tracer at their exit events."""

import os
import signal
import threading

from workloads import guest


def wait_for_ever(read_end, started):
    os.write(started, b"s")
    os.read(read_end, 1)


def main():
    read_end = os.pipe()[0]
    started_read, started_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(2):
            threading.Thread(target=wait_for_ever, args=(read_end, started_write)).start()
            os.read(started_read, 1)
        os.kill(os.getpid(), signal.SIGUSR1)
        os.execv("/bin/true", ["true"])
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACECLONE | guest.PTRACE_O_TRACEEXIT | guest.PTRACE_O_TRACEEXEC
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    tids = []
    while True:
        seen, status = os.waitpid(-1, 0)
        if seen == pid and os.WSTOPSIG(status) == signal.SIGUSR1:
            break
        if status >> 16:
            tids.append(guest.ptrace(guest.PTRACE_GETEVENTMSG, seen))
        guest.ptrace(guest.PTRACE_CONT, seen)
    guest.ptrace(guest.PTRACE_CONT, pid)
    for tid in tids:
        status = os.waitpid(tid, 0)[1]
        print("exits", hex(status), guest.ptrace(guest.PTRACE_GETEVENTMSG, tid))
    print(os.waitpid(pid, os.WNOHANG))
    for tid in tids:
        guest.ptrace(guest.PTRACE_CONT, tid)
        print(hex(os.waitpid(tid, 0)[1]))
    status = os.waitpid(pid, 0)[1]
    print("exec", hex(status), guest.ptrace(guest.PTRACE_GETEVENTMSG, pid) == pid)
    guest.ptrace(guest.PTRACE_CONT, pid)
    status = os.waitpid(pid, 0)[1]
    print("exits", hex(status))
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
