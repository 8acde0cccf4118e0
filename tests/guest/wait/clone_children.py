"""Children whose exit signal is not SIGCHLD: only __WCLONE and __WALL find them, or ECHILD."""

import os
import signal

from workloads import guest

WCLONE, WALL, WNOTHREAD = -(1 << 31), 0x40000000, 0x20000000
signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def attempt(pid, options):
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | options)
        return found.si_pid == pid, found.si_signo, found.si_code, found.si_status
    except OSError as error:
        return error.errno


for exit_signal in (0, signal.SIGUSR1, signal.SIGCHLD, signal.SIGWINCH, 100):
    pid = guest.clone(exit_signal)
    if pid == 0:
        os._exit(1)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | WALL)
    for options in (0, WCLONE, WALL, WCLONE | WALL, WNOTHREAD, WNOTHREAD | WALL):
        print(int(exit_signal), options, attempt(pid, options))
    other = os.fork()
    if other == 0:
        os._exit(2)
    print(os.waitpid(other, WALL)[1], os.waitpid(-1, WALL)[0] == pid)
