"""A group stop of a traced process with threads: each thread traps by itself, and all go on."""

import os
import signal
import threading

from workloads import guest


def work(read_end):
    os.read(read_end, 1)


def child(read_end):
    threads = [threading.Thread(target=work, args=(read_end,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(2)


def run(legacy):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        if legacy:
            guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        child(read_end)
    os.waitpid(pid, os.WUNTRACED)
    if legacy:
        guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, guest.PTRACE_O_TRACECLONE)
    else:
        guest.ptrace(guest.PTRACE_SEIZE, pid, 0, guest.PTRACE_O_TRACECLONE)
        os.kill(pid, signal.SIGCONT)
        while os.WSTOPSIG(os.waitpid(pid, 0)[1]) != signal.SIGCONT:
            guest.ptrace(guest.PTRACE_CONT, pid)
    tids = [pid]
    for _ in range(2):
        guest.ptrace(guest.PTRACE_CONT, pid)
        os.waitpid(pid, 0)
        tid = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
        os.waitpid(tid, 0)
        guest.ptrace(guest.PTRACE_CONT, tid)
        tids.append(tid)
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.kill(pid, signal.SIGSTOP)
    # one of them takes the signal, and with it stops all
    first, status = os.waitpid(-1, 0)
    print(first in tids, hex(status))
    guest.ptrace(guest.PTRACE_CONT, first, 0, signal.SIGSTOP)
    found = []
    for tid in tids:
        found.append(hex(os.waitpid(tid, 0)[1]))
    print(found)
    os.kill(pid, signal.SIGCONT)
    for tid in tids:
        guest.ptrace(guest.PTRACE_CONT, tid)
    seen, status = os.waitpid(-1, 0)
    while status >> 16:
        guest.ptrace(guest.PTRACE_CONT, seen)
        seen, status = os.waitpid(-1, 0)
    print(seen in tids, hex(status))
    guest.ptrace(guest.PTRACE_CONT, seen)
    os.write(write_end, b"xx")
    while True:
        seen, status = os.waitpid(-1, 0)
        if not os.WIFSTOPPED(status):
            if seen == pid:
                break
            continue
        guest.ptrace(guest.PTRACE_CONT, seen)
    print(hex(status))
    os.close(read_end)
    os.close(write_end)


def main():
    run(True)
    run(False)


if __name__ == "__main__":
    main()
