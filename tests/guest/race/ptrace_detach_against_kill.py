"""A tracer lets its tracee go while another process kills it: it dies of the signal, once."""

import os
import signal

from workloads import guest

pid = os.fork()
if pid == 0:
    signal.pause()
guest.ptrace(guest.PTRACE_ATTACH, pid)
os.waitpid(pid, 0)
killer = os.fork()
if killer == 0:
    os.kill(pid, signal.SIGKILL)
    os._exit(0)
try:
    guest.ptrace(guest.PTRACE_DETACH, pid, 0, signal.SIGCONT)
except ProcessLookupError:
    pass
print(hex(os.waitpid(pid, 0)[1]))
print(hex(os.waitpid(killer, 0)[1]))
