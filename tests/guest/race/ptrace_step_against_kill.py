"""A tracee is killed while its tracer steps it: the tracer finds it gone, never stuck."""

import os
import signal

from workloads import guest

pid = os.fork()
if pid == 0:
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        os.getppid()
os.waitpid(pid, 0)
killer = os.fork()
if killer == 0:
    os.getppid()
    os.getppid()
    os.kill(pid, signal.SIGKILL)
    os._exit(0)
status = 0x7F
while os.WIFSTOPPED(status):
    try:
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
    except ProcessLookupError:
        pass
    status = os.waitpid(pid, 0)[1]
print(hex(status))
print(hex(os.waitpid(killer, 0)[1]))
