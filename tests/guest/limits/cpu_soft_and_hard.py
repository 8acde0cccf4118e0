"""RLIMIT_CPU: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard limit."""

import os
import resource
import signal

from workloads.guest import compute

caught = []


def handler(signum, frame):
    caught.append(signum)


pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (1, 5))
    compute(3_000_000_000)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
print(os.WIFSIGNALED(status), os.WTERMSIG(status) == signal.SIGXCPU)

pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGXCPU, handler)
    resource.setrlimit(resource.RLIMIT_CPU, (1, 3))
    for _ in range(24):
        compute(100_000_000)
    print(len(caught), resource.getrlimit(resource.RLIMIT_CPU))
    for _ in range(100):
        compute(100_000_000)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
print(os.WIFSIGNALED(status), os.WTERMSIG(status) == signal.SIGKILL)
