"""Children whose exit signal is a real-time one are each told of, in order; with SIGCHLD once."""

import os
import signal

from workloads import guest

WALL = 0x40000000
for number in (40, int(signal.SIGUSR1), int(signal.SIGCHLD)):
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    pids = []
    for code in range(3):
        pid = guest.clone(number)
        if pid == 0:
            os._exit(code)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | WALL)
        pids.append(pid)
    told = []
    while True:
        info = signal.sigtimedwait([number], 0)
        if info is None:
            break
        told.append((pids.index(info.si_pid), info.si_code, info.si_status))
    print(number, told)
    for pid in pids:
        os.waitpid(pid, WALL)
pid = os.fork()
if pid == 0:
    os._exit(7)
os.waitpid(pid, 0)
print("a wait takes the child, not the signal", signal.SIGCHLD in signal.sigpending())
