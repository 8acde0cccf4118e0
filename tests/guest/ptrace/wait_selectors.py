"""A tracer's waits find tracees by pid, by group and by any; children come before tracees."""

import os
import signal

from workloads import guest


def main():
    read_end, write_end = os.pipe()
    pid_read, pid_write = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.setpgid(0, 0)
        pid = os.fork()
        if pid == 0:
            os.read(read_end, 1)
            os._exit(5)
        os.write(pid_write, b"%d" % pid)
        os.read(read_end, 1)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    pid = int(os.read(pid_read, 20))
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        print("no child")
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    for selector in (pid, -middle, -1):
        guest.ptrace(guest.PTRACE_INTERRUPT, pid)
        # __WCLONE is for children; a tracee is always found
        seen, status = os.waitpid(selector, -0x80000000 if selector == pid else 0)
        print(seen == pid, hex(status))
        guest.ptrace(guest.PTRACE_CONT, pid)
    try:
        os.waitpid(0, os.WNOHANG)
    except ChildProcessError:
        print("nobody in my group")
    guest.ptrace(guest.PTRACE_INTERRUPT, pid)
    result = os.waitid(os.P_PGID, middle, os.WEXITED | os.WNOWAIT)
    print(result.si_pid == pid, result.si_code == os.CLD_TRAPPED)
    os.kill(middle, signal.SIGKILL)
    # the dead child first, though the tracee stopped before it
    os.waitid(os.P_PID, middle, os.WEXITED | os.WNOWAIT)
    print(os.wait()[0] == middle, os.wait()[0] == pid)
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.write(write_end, b"x")
    print(hex(os.wait()[1]))


if __name__ == "__main__":
    main()
