"""A zombie whose tracer has seen it vanishes if its parent ignores SIGCHLD."""

import os
import signal

from workloads import guest


def main():
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.read(go_read, 1)
        os._exit(5)
    tracer = os.fork()
    if tracer == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        guest.ptrace(guest.PTRACE_SEIZE, pid)
        os.write(go_write, b"x")
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        os.kill(pid, 0)
        os.write(1, b"a zombie\n")
        os.write(1, b"%x\n" % os.waitpid(pid, 0)[1])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            os.write(1, b"gone\n")
        os.write(ready_write, b"x")
        os.read(go_read, 1)
        os._exit(0)
    os.read(ready_read, 1)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        print("no child of mine")
    os.write(go_write, b"x")
    try:
        os.waitpid(tracer, 0)
    except ChildProcessError:
        print("nor the tracer")


if __name__ == "__main__":
    main()
