"""Who asks for something of a task that another traces, and lets go of, gets no answer."""

import os
import signal

from workloads import guest

pid = os.fork()
if pid == 0:
    signal.pause()
tracer = os.fork()
if tracer == 0:
    for _ in range(3):
        guest.ptrace(guest.PTRACE_SEIZE, pid)
        guest.ptrace(guest.PTRACE_INTERRUPT, pid)
        os.waitpid(pid, 0)
        guest.ptrace(guest.PTRACE_DETACH, pid)
    os._exit(0)
refused = 0
for _ in range(6):
    try:
        guest.ptrace(guest.PTRACE_CONT, pid)
    except ProcessLookupError:
        refused += 1
print(refused, os.waitpid(tracer, 0)[1])
os.kill(pid, signal.SIGKILL)
print(os.waitpid(pid, 0)[1])
