"""What a user without privilege may do about policies, and to whom."""

import os
import resource


def attempt(name, policy, priority=0, pid=0):
    try:
        os.sched_setscheduler(pid, policy, os.sched_param(priority))
        print(name, "ok", hex(os.sched_getscheduler(pid)))
    except OSError as error:
        print(name, error.errno)


go_r, go_w = os.pipe()
is_r, is_w = os.pipe()
other = os.fork()
if other == 0:
    os.close(go_w)
    os.setresuid(62002, 62002, 62002)
    os.write(is_w, b"x")
    os.read(go_r, 1)
    os._exit(0)
os.read(is_r, 1)
pid = os.fork()
if pid == 0:
    os.close(go_w)
    parent = os.getppid()
    os.setresuid(62001, 62001, 62001)
    attempt("batch", os.SCHED_BATCH)
    attempt("other", os.SCHED_OTHER)
    attempt("fifo", os.SCHED_FIFO, 1)
    attempt("round robin", os.SCHED_RR, 1)
    attempt("bad priority comes first", os.SCHED_FIFO, 0)
    attempt("root's", os.SCHED_OTHER, 0, parent)
    attempt("another user's", os.SCHED_BATCH, 0, other)
    print(os.sched_getscheduler(parent), os.sched_getscheduler(other))
    attempt("reset", os.SCHED_OTHER | os.SCHED_RESET_ON_FORK)
    attempt("reset cannot be taken back", os.SCHED_OTHER)
    attempt("idle keeps it", os.SCHED_IDLE | os.SCHED_RESET_ON_FORK)
    attempt("out of idle", os.SCHED_OTHER | os.SCHED_RESET_ON_FORK)
    attempt("idle again", os.SCHED_IDLE | os.SCHED_RESET_ON_FORK)
    child = os.fork()
    if child == 0:
        print("child", hex(os.sched_getscheduler(0)))
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    os.nice(5)
    os.setresuid(62001, 62001, 62001)
    attempt("idle", os.SCHED_IDLE)
    attempt("nice 5 out of idle", os.SCHED_OTHER)
    attempt("batch from idle", os.SCHED_BATCH)
    print(os.getpriority(os.PRIO_PROCESS, 0))
    os._exit(0)
os.waitpid(pid, 0)
os.close(go_w)
os.waitpid(other, 0)
print(resource.getrlimit(resource.RLIMIT_RTPRIO), resource.getrlimit(resource.RLIMIT_NICE))
