"""A tracer attaches to a child that exits: it is refused, or traces it to its end."""

import os
import signal

from workloads import guest

ended = 0
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    try:
        guest.ptrace(guest.PTRACE_ATTACH, pid)
        status = os.waitpid(pid, 0)[1]
        if os.WIFSTOPPED(status):
            assert os.WSTOPSIG(status) == signal.SIGSTOP
            guest.ptrace(guest.PTRACE_CONT, pid)
            status = os.waitpid(pid, 0)[1]
    except PermissionError:
        status = os.waitpid(pid, 0)[1]
    ended += status == 7 << 8
try:
    os.wait()
except ChildProcessError:
    print("all ended", ended)
