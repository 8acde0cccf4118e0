"""A process that is not dumpable dies without the core flag; changing ids makes it so."""

import os
import resource
import signal

from workloads.guest import PR_GET_DUMPABLE, PR_SET_DUMPABLE, prctl

pid = os.fork()
if pid == 0:
    print(prctl(PR_GET_DUMPABLE))
    prctl(PR_SET_DUMPABLE, 0)
    grandchild = os.fork()
    if grandchild == 0:
        print("inherited", prctl(PR_GET_DUMPABLE))
        os.kill(os.getpid(), signal.SIGQUIT)
    status = os.waitpid(grandchild, 0)[1]
    print(os.WTERMSIG(status), os.WCOREDUMP(status))
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    os.seteuid(99)
    print("after seteuid", prctl(PR_GET_DUMPABLE))
    os.kill(os.getpid(), signal.SIGQUIT)
status = os.waitpid(pid, 0)[1]
print(os.WTERMSIG(status), os.WCOREDUMP(status))
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGQUIT)
status = os.waitpid(pid, 0)[1]
print(os.WTERMSIG(status), os.WCOREDUMP(status))
