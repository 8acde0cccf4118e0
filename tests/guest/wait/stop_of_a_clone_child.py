"""A stop is told by SIGCHLD whatever the exit signal is, to be found with __WCLONE only."""

import os
import signal

from workloads import guest

WALL, WCLONE = 0x40000000, -(1 << 31)
WANTED = [signal.SIGCHLD, signal.SIGUSR1]
signal.pthread_sigmask(signal.SIG_BLOCK, WANTED)
pid = guest.clone(signal.SIGUSR1)
if pid == 0:
    while True:
        signal.pause()


def told():
    info = signal.sigwaitinfo(WANTED)
    return info.si_signo, info.si_code, info.si_status


for number, options in ((signal.SIGSTOP, os.WUNTRACED), (signal.SIGCONT, os.WCONTINUED)):
    os.kill(pid, number)
    print(told())
    try:
        os.waitpid(pid, options | os.WNOHANG)
    except ChildProcessError as error:
        print(error)
    print(hex(os.waitpid(pid, options | WCLONE)[1]), os.waitpid(pid, options | WALL | os.WNOHANG))
os.kill(pid, signal.SIGKILL)
print(told(), os.waitpid(pid, WCLONE)[1])
