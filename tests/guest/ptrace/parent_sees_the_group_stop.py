"""When tracer and parent differ, the parent learns of a group stop and of its end, not of traps."""

import os
import signal

from workloads import guest


def main():
    read_end, write_end = os.pipe()
    go_read, go_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(1)
    tracer = os.fork()
    if tracer == 0:
        guest.ptrace(guest.PTRACE_SEIZE, pid)
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, 0)
        os.write(write_end, b"signal")
        os.read(go_read, 1)
        guest.ptrace(guest.PTRACE_CONT, pid, 0, signal.SIGSTOP)
        status = os.waitpid(pid, 0)[1]
        os.write(1, b"group stop %x\n" % status)
        guest.ptrace(guest.PTRACE_LISTEN, pid)
        os.write(write_end, b"group")
        os.read(go_read, 1)
        status = os.waitpid(pid, 0)[1]
        os.write(1, b"end %x\n" % status)
        guest.ptrace(guest.PTRACE_DETACH, pid)
        os._exit(0)
    print(os.read(read_end, 9))
    print(os.waitpid(pid, os.WNOHANG | os.WUNTRACED))
    os.write(go_write, b"x")
    print(os.read(read_end, 9))
    print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
    os.kill(pid, signal.SIGCONT)
    print(hex(os.waitpid(pid, os.WCONTINUED)[1]))
    os.write(go_write, b"x")
    print(hex(os.waitpid(tracer, 0)[1]))
    os.kill(pid, signal.SIGKILL)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
