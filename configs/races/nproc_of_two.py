"""Two processes of a user who may have one more fork at the same time: at most one of them may."""

import os
import resource

from workloads import guest

guest.set_child_subreaper()  # who has ended counts until it is reaped, and here nobody does
os.setuid(54321)
resource.setrlimit(resource.RLIMIT_NPROC, (3, 3))
pid = os.fork()
try:
    child = os.fork()
except BlockingIOError:
    made = 0
else:
    if child == 0:
        os._exit(0)
    made = 1
if pid == 0:
    os._exit(made)
reaped, status = os.waitpid(pid, 0)
print("not both", made + os.waitstatus_to_exitcode(status) < 2)
