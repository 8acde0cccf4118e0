"""A traced sleeper is served before it sleeps, and stops at the end of its call: it stays so."""

import os
import signal

from workloads import guest

sems = guest.semget(guest.IPC_PRIVATE, 1, 0o600)
ends = []
for calls in (8, 11, 14, 17, 20, 23):
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        guest.semop(sems, [(0, -1, 0)])
        os._exit(calls)
    stops = 0
    status = os.waitpid(pid, 0)[1]
    while os.WIFSTOPPED(status):
        guest.ptrace(guest.PTRACE_SYSCALL, pid)
        stops += 1
        if stops == 2:
            for _ in range(calls):
                os.getppid()
            guest.semop(sems, [(0, 1, 0)])
        status = os.waitpid(pid, 0)[1]
    ends.append(status)
guest.semctl(sems, 0, guest.IPC_RMID)
print(ends)
