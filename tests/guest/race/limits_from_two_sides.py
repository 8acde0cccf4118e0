"""Parent and children set the limits of one process: each sees some pair that was set."""

import os
import resource

which = resource.RLIMIT_NOFILE
parent = os.getpid()
resource.setrlimit(which, (50, 200))
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        old = resource.prlimit(parent, which, (60 + number, 200))
        if children:
            try:
                resource.prlimit(children[0], which, (100, 200))  # it may be gone by now
            except ProcessLookupError:
                pass
        os._exit(0 if 50 <= old[0] <= 70 and old[1] == 200 else 1)
    children.append(pid)
resource.setrlimit(which, (55, 200))
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
soft, hard = resource.getrlimit(which)
print(statuses, 50 <= soft <= 70, hard)
