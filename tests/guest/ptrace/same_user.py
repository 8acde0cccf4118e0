"""Of one's own user one may trace who has not changed ids since an exec, or says it may be."""

import os
import signal
import sys

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
    pid = os.fork()
    if pid == 0:
        become(11)
        if dumpable == "exec":
            os.dup2(ready_write, 1)
            os.execv(sys.executable, ["python3", "-u", __file__, "again"])
        if dumpable == "asks":
            guest.prctl(guest.PR_SET_DUMPABLE, 1)
        os.write(ready_write, b"r")
        signal.pause()
    os.read(ready_read, 1)
    return pid


def main():
    if len(sys.argv) > 1:
        os.write(1, b"r")
        signal.pause()
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
        own = os.fork()
        if own == 0:
            signal.pause()
        tried("own child", own)
        os.kill(own, 9)
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
