"""wait3 and wait4 report one child's usage; what is not there under WNOHANG is all zero."""

import os
import signal

from workloads.guest import compute

MS = 1_000_000


def total(usage):
    return usage.ru_utime + usage.ru_stime


pids = []
for ms in (40, 5):
    pid = os.fork()
    if pid == 0:
        compute(ms * MS)
        os.kill(os.getpid(), signal.SIGSTOP)
        compute(10 * MS)
        os._exit(ms)
    pids.append(pid)
for pid in pids:
    found, status, usage = os.wait4(pid, os.WUNTRACED)
    print(found == pid, os.WIFSTOPPED(status), total(usage) >= 0.005)
found, status, usage = os.wait4(pids[0], os.WNOHANG)
print(found, status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, usage.ru_nvcsw)
found, status, usage = os.wait3(os.WNOHANG | os.WUNTRACED)
print(found, status, total(usage))
for pid in pids:
    os.kill(pid, signal.SIGCONT)
for pid in pids:
    found, status, usage = os.wait4(pid, 0)
    print(os.WEXITSTATUS(status), total(usage) >= 0.015, total(usage) >= 0.05)
try:
    os.wait3(0)
except ChildProcessError as error:
    print(error)
pid = os.fork()
if pid == 0:
    os._exit(0)
found, status, usage = os.wait3(0)
print(found == pid, usage.ru_maxrss > 0, usage.ru_inblock >= 0, len(usage))
