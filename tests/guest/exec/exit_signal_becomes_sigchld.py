"""A child made with another exit signal reports SIGCHLD once it, or its parent, has called exec."""

import os
import signal
import sys

from workloads import guest

WCLONE = -(1 << 31)
SIGNALS = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD]


def kinds(pid):
    """Return which options find the child, and whether it is found without any."""
    found = []
    for options in (0, WCLONE, 0x40000000):
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | options)
            found.append(True)
        except ChildProcessError:
            found.append(False)
    return found


def taken():
    numbers = []
    while True:
        info = signal.sigtimedwait(SIGNALS, 0)
        if info is None:
            return numbers
        numbers.append((info.si_signo, info.si_code, info.si_status))


if len(sys.argv) > 1:
    print("the parent called exec")
    pid = int(sys.argv[1])
    os.write(60, b"x")
    print(signal.sigwaitinfo(SIGNALS).si_signo)
    print(kinds(pid), taken())
    print(os.waitpid(pid, 0x40000000)[1])
    sys.exit(0)
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
pid = guest.clone(signal.SIGUSR1)
if pid == 0:
    os._exit(3)
print(signal.sigwaitinfo(SIGNALS).si_signo, kinds(pid), os.waitpid(pid, WCLONE)[1])
pid = guest.clone(signal.SIGUSR1)
if pid == 0:
    os.execv("/bin/false", ["false"])
print("the child called exec", signal.sigwaitinfo(SIGNALS).si_signo, kinds(pid))
print(os.waitpid(pid, 0)[1], taken())
gate = os.pipe()
pid = guest.clone(signal.SIGUSR2)
if pid == 0:
    os.read(gate[0], 1)
    os._exit(4)
os.dup2(gate[1], 60)
os.execv(sys.executable, [sys.executable, "-u", __file__, str(pid)])
