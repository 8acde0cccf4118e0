"""A tracer that is killed frees its tracees, and they go on from whatever stop they are in."""

import os
import signal

from workloads import guest


def main():
    read_end, write_end = os.pipe()
    ready_read, ready_write = os.pipe()
    running = os.fork()
    if running == 0:
        os.read(read_end, 1)
        os._exit(5)
    stopped = os.fork()
    if stopped == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(6)
    os.waitpid(stopped, os.WUNTRACED)
    tracer = os.fork()
    if tracer == 0:
        guest.ptrace(guest.PTRACE_SEIZE, running)
        guest.ptrace(guest.PTRACE_INTERRUPT, running)
        os.waitpid(running, 0)
        guest.ptrace(guest.PTRACE_SEIZE, stopped)
        os.waitpid(stopped, 0)
        guest.ptrace(guest.PTRACE_CONT, stopped)
        os.waitid(os.P_PID, stopped, os.WEXITED | os.WNOWAIT)
        os.write(ready_write, b"r")
        signal.pause()
    os.read(ready_read, 1)
    # one stands in a trap, the other has run to its end: both are the tracer's
    os.write(write_end, b"x")
    print(os.waitpid(running, os.WNOHANG), os.waitpid(stopped, os.WNOHANG))
    os.kill(tracer, signal.SIGKILL)
    print(hex(os.waitpid(tracer, 0)[1]))
    print(hex(os.waitpid(running, 0)[1]))
    print(hex(os.waitpid(stopped, 0)[1]))


if __name__ == "__main__":
    main()
