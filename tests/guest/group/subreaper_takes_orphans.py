"""Orphans go to the subreaper: their parent by getppid, its children to wait for, with SIGCHLD."""

import os
import signal

from workloads import guest

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
guest.set_child_subreaper()
me = os.getpid()
gate, tell = os.pipe(), os.pipe()
middle = os.fork()
if middle == 0:
    print("not inherited", guest.prctl(guest.PR_GET_CHILD_SUBREAPER))
    pids = []
    for code in range(3):
        pids.append(os.fork())
        if pids[-1] == 0:
            if code:
                os.read(gate[0], 1)
            os.write(tell[1], b"%d" % (os.getppid() == me))
            os._exit(code)
    os.read(tell[0], 1)
    os.waitid(os.P_PID, pids[0], os.WEXITED | os.WNOWAIT)
    os._exit(9)
print("middle", signal.sigwaitinfo([signal.SIGCHLD]).si_status, os.waitpid(middle, 0)[1] >> 8)
first, status = os.waitpid(-1, 0)
print("a zombie is inherited too", first != middle, status >> 8)
while signal.sigtimedwait([signal.SIGCHLD], 0) is not None:
    pass
ends = []
for _ in range(2):
    os.write(gate[1], b"x")
    info = signal.sigwaitinfo([signal.SIGCHLD])
    ends.append(os.waitpid(info.si_pid, 0)[1] >> 8)
    print("told it is its parent", os.read(tell[0], 1))
print(sorted(ends))
try:
    os.wait()
except ChildProcessError as error:
    print(error)
guest.set_child_subreaper(False)
print(guest.prctl(guest.PR_GET_CHILD_SUBREAPER))
