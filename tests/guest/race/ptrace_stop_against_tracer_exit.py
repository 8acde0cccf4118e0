"""A tracee stops for a tracer that dies: it goes on, and nobody is told in vain."""

import os
import signal

from workloads import guest

signal.signal(signal.SIGUSR1, signal.SIG_IGN)
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write)
    os.read(read, 1)
    for _ in range(4):
        os.kill(os.getpid(), signal.SIGUSR1)
    os._exit(3)
tracer = os.fork()
if tracer == 0:
    guest.ptrace(guest.PTRACE_SEIZE, pid)
    os.close(write)
    status = os.waitpid(pid, 0)[1]
    guest.ptrace(guest.PTRACE_CONT, pid)
    os._exit(0 if os.WIFSTOPPED(status) else 1)
os.close(read)
os.close(write)
print(os.waitpid(tracer, 0)[1], hex(os.waitpid(pid, 0)[1]))
