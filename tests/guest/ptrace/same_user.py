"""Of one's own user one may trace who has not changed ids since an exec, or says it may be."""

import os
import signal

from workloads import guest


def become(uid):
    os.setgid(uid)
    os.setuid(uid)


def tried(text, pid):
    try:
        guest.ptrace(guest.PTRACE_SEIZE, pid)
        print(text, "traced")
    except OSError as error:
        print(text, error.errno)


def start(dumpable):
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        become(11)
        if dumpable == "exec":
            os.dup2(go_read, 0)
            os.dup2(ready_write, 1)
            os.execv("/bin/cat", ["cat"])
        if dumpable == "asks":
            guest.prctl(guest.PR_SET_DUMPABLE, 1)
        os.write(ready_write, b"r")
        signal.pause()
    os.write(go_write, b"e")
    os.read(ready_read, 1)
    return pid


def main():
    changed = start("")
    asks = start("asks")
    execs = start("exec")
    pids = [changed, asks, execs]
    tracer = os.fork()
    if tracer == 0:
        become(11)
        tried("changed", changed)
        tried("asks", asks)
        tried("has exec'ed", execs)
        os._exit(0)
    print(hex(os.waitpid(tracer, 0)[1]))
    tracer = os.fork()
    if tracer == 0:
        become(12)
        tried("another's", asks)
        os._exit(0)
    print(hex(os.waitpid(tracer, 0)[1]))
    for pid in pids:
        os.kill(pid, 9)
        print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
