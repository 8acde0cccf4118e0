"""Children leave for sessions of their own unless others make them leaders of groups before."""

import os

children = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
        except PermissionError:
            os._exit(0 if os.getpgrp() == os.getpid() else 1)
        os._exit(0 if os.getsid(0) == os.getpid() == os.getpgrp() else 1)
    children.append(pid)
for pid in children:
    try:
        os.setpgid(pid, pid)
    except PermissionError:
        pass
    except ProcessLookupError:
        pass
for pid in children:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        pass
failed = 0
for pid in children:
    status = os.waitpid(pid, 0)[1]
    failed += status
print(failed)
