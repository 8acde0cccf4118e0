"""getrusage tells what the process, its waited-for children and the thread have used."""

import os
import resource
import signal
import threading
import time

from workloads.guest import compute

MS = 1_000_000


def cpu(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def spin():
    compute(30 * MS)
    print("thread has its own", 0.0299 <= cpu(resource.RUSAGE_THREAD) < 0.06)


for who in (-2, 2, 77):
    try:
        resource.getrusage(who)
    except ValueError as error:
        print(who, error)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime, usage.ru_stime, usage.ru_maxrss, usage.ru_nvcsw, usage.ru_minflt)
before = cpu(resource.RUSAGE_SELF)
compute(50 * MS)
used = cpu(resource.RUSAGE_SELF) - before
print("own time", 0.0499 <= used < 0.1)  # two times in us, as floats
thread = threading.Thread(target=spin)
before = cpu(resource.RUSAGE_SELF)
mine = cpu(resource.RUSAGE_THREAD)
thread.start()
thread.join()
print("of all threads", cpu(resource.RUSAGE_SELF) - before >= 0.03)
print("not the other's", cpu(resource.RUSAGE_THREAD) - mine < 0.02)
# a child counts only once it is waited for
pid = os.fork()
if pid == 0:
    grandchild = os.fork()
    if grandchild == 0:
        compute(40 * MS)
        os._exit(0)
    os.waitpid(grandchild, 0)
    print("child inherits nothing", cpu(resource.RUSAGE_SELF) < 0.03)
    compute(20 * MS)
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("not before the wait", cpu(resource.RUSAGE_CHILDREN))
_, status, usage = os.wait4(pid, 0)
print(status, 0.06 <= usage.ru_utime + usage.ru_stime < 0.12)
print("then with its own children", 0.06 <= cpu(resource.RUSAGE_CHILDREN) < 0.12)
# nobody waits for one whose parent ignores SIGCHLD
before = cpu(resource.RUSAGE_CHILDREN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    compute(30 * MS)
    os._exit(0)
try:
    os.waitpid(pid, 0)
except ChildProcessError:
    print("nothing of the unwanted", cpu(resource.RUSAGE_CHILDREN) == before)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
# context switches: sleeping is voluntary
before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
for _ in range(20):
    time.sleep(0.001)
print("slept", 20 <= resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before < 60)
