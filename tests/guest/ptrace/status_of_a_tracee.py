"""/proc tells that a task is traced and by whom; its parent is still its parent."""

import os
import signal

from workloads import guest


def show(pid):
    names = {pid: "tracee", os.getpid(): "tracer", os.getppid(): "parent", 0: "nobody"}
    fd = os.open(f"/proc/{pid}/status", os.O_RDONLY)
    for line in os.read(fd, 4000).decode().split("\n"):
        name, _, value = line.partition(":\t")
        if name == "State" and value[0] in "RS":
            value = "runs or sleeps"
        if name in ("State", "SigPnd"):
            print(name, value, end="; ")
        elif name in ("Pid", "PPid", "TracerPid"):
            print(name, names.get(int(value), "other"), end="; ")
    print()
    os.close(fd)


def main():
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(read_end, 1)
        os._exit(0)
    if os.fork() == 0:
        show(pid)
        guest.ptrace(guest.PTRACE_ATTACH, pid)
        os.waitpid(pid, 0)
        show(pid)
        os.kill(pid, signal.SIGUSR1)
        show(pid)
        guest.ptrace(guest.PTRACE_CONT, pid)
        os.waitpid(pid, 0)
        guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGSTOP)
        os.waitpid(pid, 0)
        show(pid)
        guest.ptrace(guest.PTRACE_CONT, pid)
        os.write(write_end, b"x")
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        show(pid)
        os._exit(0)
    print(hex(os.wait()[1]))
    print(hex(os.wait()[1]))


if __name__ == "__main__":
    main()
