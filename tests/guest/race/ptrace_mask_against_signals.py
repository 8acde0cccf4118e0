"""A tracer sets the mask of a tracee between its calls while a third process sends it signals."""

import os
import signal

from workloads import guest

pid = os.fork()
if pid == 0:
    guest.ptrace(guest.PTRACE_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    for _ in range(3):
        os.getppid()
    os._exit(4)
os.waitpid(pid, 0)
sender = os.fork()
if sender == 0:
    try:
        for _ in range(4):
            os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError:
        pass
    os._exit(0)
masks = (1 << signal.SIGUSR1 - 1, 0)
stops = 0
status = 0x7F
while os.WIFSTOPPED(status):
    guest.ptrace(guest.PTRACE_SETSIGMASK, pid, 0, masks[stops % 2])
    guest.ptrace(guest.PTRACE_SYSCALL, pid)
    status = os.waitpid(pid, 0)[1]
    stops += 1
print(hex(status), os.waitpid(sender, 0)[1])
