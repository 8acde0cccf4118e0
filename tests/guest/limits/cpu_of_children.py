"""RLIMIT_CPU is inherited by fork and exec; each process has the whole limit for itself."""

import os
import resource
import signal
import sys
import threading

from workloads.guest import compute


def spin():
    compute(700_000_000)


if len(sys.argv) > 1:
    compute(2_000_000_000)
    sys.exit(0)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, (1, 30))
pid = os.fork()
if pid == 0:
    compute(2_000_000_000)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
print("fork", os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
pid = os.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, "-u", __file__, "spin"])
status = os.waitpid(pid, 0)[1]
print("exec", os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
pid = os.fork()
if pid == 0:
    threads = [threading.Thread(target=spin), threading.Thread(target=spin)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)
status = os.waitpid(pid, 0)[1]
print("threads together", os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
# what the children used does not count
print(resource.getrlimit(resource.RLIMIT_CPU))
