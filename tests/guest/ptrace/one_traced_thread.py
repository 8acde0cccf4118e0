"""Only one thread of a process is traced: it alone traps; a stop is of all, and told to both."""

import os
import signal
import threading

from workloads import guest


def work(read_end, tid_write):
    os.write(tid_write, b"%d" % guest.gettid())
    os.read(read_end, 1)


def main():
    read_end, write_end = os.pipe()
    tid_read, tid_write = os.pipe()
    go_read, go_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        thread = threading.Thread(target=work, args=(read_end, tid_write))
        thread.start()
        os.read(go_read, 1)
        signal.raise_signal(signal.SIGSTOP)
        thread.join()
        os._exit(6)
    tid = int(os.read(tid_read, 20))
    guest.ptrace(guest.PTRACE_SEIZE, tid)
    try:
        os.waitpid(tid, os.WNOHANG)
        print("a tracee")
        guest.ptrace(guest.PTRACE_INTERRUPT, pid)
    except OSError as error:
        print("not the leader", error.errno)
    guest.ptrace(guest.PTRACE_INTERRUPT, tid)
    print(hex(os.waitpid(tid, 0)[1]))
    print(os.waitpid(pid, os.WNOHANG | os.WUNTRACED))
    guest.ptrace(guest.PTRACE_CONT, tid)
    # the leader stops itself, and nobody asks a tracer
    os.write(go_write, b"x")
    print("thread", hex(os.waitpid(tid, 0)[1]))
    print("process", hex(os.waitpid(pid, os.WUNTRACED)[1]))
    guest.ptrace(guest.PTRACE_LISTEN, tid)
    os.kill(pid, signal.SIGCONT)
    print("process", hex(os.waitpid(pid, os.WCONTINUED)[1]))
    print("thread", hex(os.waitpid(tid, 0)[1]))
    guest.ptrace(guest.PTRACE_DETACH, tid)
    os.write(write_end, b"x")
    print(hex(os.waitpid(pid, 0)[1]))
    try:
        os.waitpid(tid, 0)
    except ChildProcessError:
        print("no tracee any more")


if __name__ == "__main__":
    main()
