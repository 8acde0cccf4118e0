"""The init of a pid namespace dies while another process of it does."""

import os
import signal

from workloads import guest

pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
if pid == 0:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if os.fork() == 0:
        os._exit(0)
    os._exit(5)
reaped, status = os.waitpid(pid, 0)
print("the last", reaped == pid, os.waitstatus_to_exitcode(status))
