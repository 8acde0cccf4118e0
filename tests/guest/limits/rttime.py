"""RLIMIT_RTTIME bounds what a real-time task runs without sleeping: SIGXCPU, SIGKILL at last."""

import os
import resource
import signal
import time

from workloads.guest import compute

caught = []


def handler(signum, frame):
    caught.append(int(signum))


def spin(ms):
    for _ in range(ms // 5):
        compute(5_000_000)


def in_child(policy, hard, work):
    """Run ``work`` in a child with a soft limit of 100 ms; print how it ends."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGXCPU, handler)
        resource.setrlimit(resource.RLIMIT_RTTIME, (100_000, hard))
        os.sched_setaffinity(0, {0})
        if policy != os.SCHED_OTHER:
            os.sched_setscheduler(0, policy, os.sched_param(10))
        if work == "sleeping":
            for _ in range(6):
                spin(50)
                time.sleep(0.002)
        elif work == "yielding":
            for _ in range(40):
                spin(5)
                os.sched_yield()
        else:
            spin(200)
        print(policy, work, len(caught), resource.getrlimit(resource.RLIMIT_RTTIME)[0])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


INF = resource.RLIM_INFINITY
print(resource.getrlimit(resource.RLIMIT_RTTIME))
in_child(os.SCHED_OTHER, INF, "spinning")
in_child(os.SCHED_FIFO, INF, "spinning")
in_child(os.SCHED_RR, INF, "yielding")
in_child(os.SCHED_FIFO, INF, "sleeping")
in_child(os.SCHED_FIFO, 150_000, "spinning")
# inherited by a child that is real-time itself
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_RTTIME, (100_000, INF))
    os.sched_setaffinity(0, {0})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    child = os.fork()
    if child == 0:
        spin(300)
        os._exit(0)
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os._exit(0)
os.waitpid(pid, 0)
