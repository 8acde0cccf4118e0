"""A zombie belongs to its tracer first; only then does its parent see it, and reaps it again."""

import os

from workloads import guest


def main():
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(go_read, 1)
        os._exit(9)
    tracer = os.fork()
    if tracer == 0:
        guest.ptrace(guest.PTRACE_ATTACH, pid)
        status = os.waitpid(pid, 0)[1]
        os.write(1, b"tracer " + hex(status).encode() + b"\n")
        guest.ptrace(guest.PTRACE_CONT, pid)
        os.write(ready_write, b"a")
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        os.write(ready_write, b"z")
        os.read(go_read, 1)
        status = os.waitpid(pid, 0)[1]
        os.write(1, b"tracer " + hex(status).encode() + b"\n")
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            os.write(1, b"tracer has no child\n")
        os._exit(0)
    os.read(ready_read, 1)
    os.write(go_write, b"x")
    os.read(ready_read, 1)
    # it is dead, and not ours yet
    print(os.waitpid(pid, os.WNOHANG))
    os.write(go_write, b"x")
    print(os.waitpid(tracer, 0)[1])
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
