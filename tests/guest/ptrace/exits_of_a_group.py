"""exit_group in a traced process: each thread stops for its exit event, the leader ends last."""

import os
import signal
import threading

from workloads import guest


def work(read_end, started):
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
            threading.Thread(target=work, args=(read_end, started_write)).start()
            os.read(started_read, 1)
        os.kill(os.getpid(), signal.SIGUSR1)
        os._exit(9)
    os.waitpid(pid, 0)
    options = guest.PTRACE_O_TRACECLONE | guest.PTRACE_O_TRACEEXIT
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
    for task in [pid] + tids:
        status = os.waitpid(task, 0)[1]
        print(hex(status), hex(guest.ptrace(guest.PTRACE_GETEVENTMSG, task)))
    guest.ptrace(guest.PTRACE_CONT, pid)
    # a leader with other threads is not to be reaped yet
    print(os.waitpid(pid, os.WNOHANG))
    for tid in tids:
        guest.ptrace(guest.PTRACE_CONT, tid)
        print(hex(os.waitpid(tid, 0)[1]))
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
