"""PR_SET_PDEATHSIG: the signal comes when the parent dies; fork drops it, exec keeps it."""

import os
import signal
import sys

from workloads.guest import PR_GET_PDEATHSIG, PR_SET_PDEATHSIG, prctl

if len(sys.argv) > 1:
    print("after exec", prctl(PR_GET_PDEATHSIG))
    sys.exit(0)


def middle(write_end, second):
    """Fork a child that wants a signal when this process dies; then die."""
    ready_r, ready_w = os.pipe()
    child = os.fork()
    if child == 0:
        print("not inherited", prctl(PR_GET_PDEATHSIG))
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
        prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
        if second:
            prctl(PR_SET_PDEATHSIG, 0)
        os.write(ready_w, b"x")
        info = signal.sigtimedwait({signal.SIGUSR1}, 0.3 if second else 10)
        if info is None:
            os.write(write_end, b"nothing came\n")
        else:
            os.write(write_end, b"signal %d code %d\n" % (info.si_signo, info.si_code))
        os._exit(0)
    os.read(ready_r, 1)
    os._exit(0)


for second in (False, True):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
        middle(write_end, second)
    os.close(write_end)
    os.waitpid(pid, 0)
    print(os.read(read_end, 100))
    print(os.read(read_end, 100))
    os.close(read_end)
prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
pid = os.fork()
if pid == 0:
    prctl(PR_SET_PDEATHSIG, signal.SIGUSR2)
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(pid, 0)
# dropped by a change of the effective ids, kept by one that changes nothing
pid = os.fork()
if pid == 0:
    prctl(PR_SET_PDEATHSIG, signal.SIGUSR2)
    os.setresuid(0, 0, 0)
    print("same ids", prctl(PR_GET_PDEATHSIG))
    os.setresuid(5, -1, -1)
    print("real id", prctl(PR_GET_PDEATHSIG))
    os.seteuid(5)
    print("effective id", prctl(PR_GET_PDEATHSIG))
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    prctl(PR_SET_PDEATHSIG, signal.SIGUSR2)
    os.setegid(7)
    print("effective group", prctl(PR_GET_PDEATHSIG))
    os._exit(0)
os.waitpid(pid, 0)
