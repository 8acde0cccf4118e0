"""posix_spawn is a vfork to a tracer: an event before, one when the memory is free again."""

import os
import signal

from workloads import guest

VFORK = guest.PTRACE_O_TRACEVFORK
DONE = guest.PTRACE_O_TRACEVFORKDONE


def run(options):
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        new = os.posix_spawn("/bin/true", ["true"], {})
        os._exit(os.waitstatus_to_exitcode(os.waitpid(new, 0)[1]) + 1)
    os.waitpid(pid, 0)
    guest.ptrace(guest.PTRACE_SETOPTIONS, pid, 0, options)
    guest.ptrace(guest.PTRACE_CONT, pid)
    new = 0
    while True:
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSTOPPED(status):
            break
        event = status >> 16
        line = f"{options} {status:#x}"
        if event:
            message = guest.ptrace(guest.PTRACE_GETEVENTMSG, pid)
            new = new or message
            line += f" {message == new}"
        print(line)
        if event == guest.PTRACE_EVENT_VFORK:
            print("new", hex(os.waitpid(new, 0)[1]))
            guest.ptrace(guest.PTRACE_DETACH, new)
        guest.ptrace(guest.PTRACE_CONT, pid)
    print(hex(status))


def main():
    run(0)
    run(VFORK)
    run(DONE)
    run(VFORK | DONE)


if __name__ == "__main__":
    main()
