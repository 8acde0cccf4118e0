"""Attaching to a process in an exec waits until that is through: here, until a thread is reaped."""

import os
import signal
import threading
import time

from workloads import guest


def traced_thread(write_end):
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.write(write_end, b"%d" % guest.gettid())


def reap_later(tid):
    time.sleep(0.2)
    os.write(1, b"reap the thread\n")
    os.waitpid(tid, 0)


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        # its exec cannot end before its tracer has seen the end of this thread
        thread = threading.Thread(target=traced_thread, args=(write_end,))
        thread.start()
        thread.join()
        os.execv("/bin/sleep", ["sleep", "1000"])
    tid = int(os.read(read_end, 20))
    os.waitid(os.P_PID, tid, os.WEXITED | os.WNOWAIT)
    time.sleep(0.1)
    helper = threading.Thread(target=reap_later, args=(tid,))
    helper.start()
    guest.ptrace(guest.PTRACE_ATTACH, pid)
    os.write(1, b"attached\n")
    # the SIGSTOP of the attaching, or the exec's own SIGTRAP if it came just before that
    status = os.waitpid(pid, 0)[1]
    print(os.WIFSTOPPED(status), os.WSTOPSIG(status) in (signal.SIGSTOP, signal.SIGTRAP))
    helper.join()
    fd = os.open(f"/proc/{pid}/comm", os.O_RDONLY)
    print(os.read(fd, 20))
    guest.ptrace(guest.PTRACE_KILL, pid)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
