"""A sleep that a dropped signal interrupts goes on to its time; sigwait takes a signal unseen."""

import os
import signal
import time

from workloads import guest


def main():
    ready_read, ready_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        os.write(ready_write, b"r")
        started = time.monotonic()
        time.sleep(0.3)
        took = time.monotonic() - started
        os.write(ready_write, b"w")
        number = signal.sigwait([signal.SIGUSR2])
        os._exit((0.3 <= took < 5) + number)
    os.read(ready_read, 1)
    os.kill(pid, signal.SIGUSR1)
    print(hex(os.waitpid(pid, 0)[1]))
    guest.ptrace(guest.PTRACE_CONT, pid)
    os.read(ready_read, 1)
    os.kill(pid, signal.SIGUSR2)
    print(hex(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
