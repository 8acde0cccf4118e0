"""A parent sleeps until its vfork child lets go of the memory they share."""

import os

from workloads import guest

pid = guest.vfork()
if pid == 0:
    os._exit(3)
reaped, status = os.waitpid(pid, 0)
print("let go", reaped == pid, os.waitstatus_to_exitcode(status))
