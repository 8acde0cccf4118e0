"""Requests that cannot be: who is refused with EPERM, ESRCH, EIO or EINVAL, and in which order."""

import os

from workloads import guest


def tried(text, request, pid, addr=0, data=0):
    try:
        print(text, guest.ptrace(request, pid, addr, data))
    except OSError as error:
        print(text, error.errno)


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(read_end, 1)
        os._exit(0)
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    tried("attach nobody", guest.PTRACE_ATTACH, gone)
    tried("attach self", guest.PTRACE_ATTACH, os.getpid())
    tried("attach 0", guest.PTRACE_ATTACH, 0)
    tried("attach -1", guest.PTRACE_ATTACH, -1)
    tried("cont untraced", guest.PTRACE_CONT, pid)
    tried("kill untraced", guest.PTRACE_KILL, pid)
    tried("bad request untraced", 9999, pid)
    tried("bad request nobody", 9999, gone)
    tried("seize with addr", guest.PTRACE_SEIZE, pid, 1)
    tried("seize bad options", guest.PTRACE_SEIZE, pid, 0, 1 << 30)
    tried("attach", guest.PTRACE_ATTACH, pid)
    os.waitpid(pid, 0)
    tried("attach again", guest.PTRACE_ATTACH, pid)
    tried("seize again", guest.PTRACE_SEIZE, pid)
    tried("bad request", 9999, pid)
    tried("bad options", guest.PTRACE_SETOPTIONS, pid, 0, 1 << 30)
    tried("bad signal", guest.PTRACE_CONT, pid, 0, 65)
    tried("bad signal detach", guest.PTRACE_DETACH, pid, 0, 999)
    tried("interrupt not seized", guest.PTRACE_INTERRUPT, pid)
    tried("listen not seized", guest.PTRACE_LISTEN, pid)
    tried("peek unmapped", guest.PTRACE_PEEKDATA, pid, 8)
    tried("poke unmapped", guest.PTRACE_POKEDATA, pid, 8, 1)
    tried("peekuser odd", guest.PTRACE_PEEKUSER, pid, 3)
    tried("peekuser far", guest.PTRACE_PEEKUSER, pid, 1 << 20)
    tried("event message", guest.PTRACE_GETEVENTMSG, pid)
    tried("cont", guest.PTRACE_CONT, pid)
    tried("cont running", guest.PTRACE_CONT, pid)
    tried("peek running", guest.PTRACE_PEEKUSER, pid, 0)
    tried("detach running", guest.PTRACE_DETACH, pid)
    os.write(write_end, b"x")
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    tried("cont zombie", guest.PTRACE_CONT, pid)
    tried("detach zombie", guest.PTRACE_DETACH, pid)
    tried("kill zombie", guest.PTRACE_KILL, pid)
    tried("attach zombie", guest.PTRACE_ATTACH, pid)
    print(os.waitpid(pid, 0)[1])
    tried("traceme", guest.PTRACE_TRACEME, 0)
    tried("traceme again", guest.PTRACE_TRACEME, 0)


if __name__ == "__main__":
    main()
