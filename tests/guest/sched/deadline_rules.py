"""Which times a deadline task may have, who may be one, and what it may do."""

import os

from workloads.guest import (
    SCHED_FLAG_KEEP_PARAMS,
    SCHED_FLAG_KEEP_POLICY,
    SCHED_FLAG_RESET_ON_FORK,
    sched_getattr,
    sched_setattr,
)

SCHED_DEADLINE = 6
RECLAIM = 2
OVERRUN = 4
US = 1000
MS = 1000000
LONGEST = (1 << 22) * US


def show(name, pid=0):
    policy, flags, nice, priority, runtime, deadline, period = sched_getattr(pid)
    if policy != SCHED_DEADLINE:
        runtime = 0  # a slice: it depends on the machine
    print(name, policy, flags, nice, priority, runtime, deadline, period, flush=True)


def attempt(name, runtime, deadline, period, flags=0, pid=0, policy=SCHED_DEADLINE, priority=0):
    try:
        sched_setattr(
            pid,
            policy,
            nice=0,
            priority=priority,
            runtime_ns=runtime,
            deadline_ns=deadline,
            period_ns=period,
            flags=flags,
        )
        show(name, pid)
    except OSError as error:
        print(name, error.errno, flush=True)


def call(name, fn, *args):
    try:
        print(name, fn(*args))
    except OSError as error:
        print(name, error.errno, flush=True)


def back():
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


# of one that sleeps: it would take long to run with the least of them
go_r, go_w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(go_w)
    os.read(go_r, 1)
    os._exit(0)
attempt("no times", 0, 0, 0, 0, pid)
attempt("runtime above the deadline", 3 * MS, 2 * MS, 4 * MS, 0, pid)
attempt("deadline above the period", MS, 5 * MS, 4 * MS, 0, pid)
attempt("runtime too short", 1023, MS, MS, 0, pid)
attempt("shortest runtime", 1024, MS, MS, 0, pid)
attempt("period too short", 2000, 99999, 99999, 0, pid)
attempt("shortest period", 2000, 100 * US, 100 * US, 0, pid)
attempt("shorter deadline", 2000, 50 * US, 100 * US, 0, pid)
attempt("period too long", 400 * MS, LONGEST + 1, LONGEST + 1, 0, pid)
attempt("deadline too long", 400 * MS, 1 << 63, 1 << 63, 0, pid)
attempt("longest", 400 * MS, LONGEST, LONGEST, 0, pid)
attempt("no period", MS, 10 * MS, 0, 0, pid)
os.close(go_w)
os.waitpid(pid, 0)

attempt("no deadline", MS, 0, 10 * MS)
attempt("a priority", MS, 10 * MS, 10 * MS, priority=1)
call("setscheduler", os.sched_setscheduler, 0, SCHED_DEADLINE, os.sched_param(0))
attempt("negative pid", MS, 10 * MS, 10 * MS, pid=-1)
attempt("nobody", MS, 10 * MS, 10 * MS, pid=4000000)
attempt("keep the parameters of none", MS, 0, 0, flags=SCHED_FLAG_KEEP_PARAMS)

attempt("deadline", 10 * MS, 100 * MS, 100 * MS)
with open("/proc/self/stat") as stat:
    fields = stat.read().split()
print("stat", fields[17], fields[39], fields[40])
call("scheduler", os.sched_getscheduler, 0)
call("interval", os.sched_rr_get_interval, 0)
call("nice value", os.getpriority, os.PRIO_PROCESS, 0)
call("nice", os.nice, 2)
show("after nice")
call("setparam", os.sched_setparam, 0, os.sched_param(0))
call("setparam 1", os.sched_setparam, 0, os.sched_param(1))
call("setscheduler of one", os.sched_setscheduler, 0, SCHED_DEADLINE, os.sched_param(0))
call("as wide", os.sched_setaffinity, 0, range(os.cpu_count()))
call("fork", os.fork)
attempt("keep the parameters", MS, 2 * MS, 3 * MS, flags=SCHED_FLAG_KEEP_PARAMS)
attempt("keep them for fifo", 0, 0, 0, flags=SCHED_FLAG_KEEP_PARAMS, policy=os.SCHED_FIFO)
keep = SCHED_FLAG_KEEP_POLICY
attempt("keep the policy", 20 * MS, 100 * MS, 100 * MS, flags=keep, policy=os.SCHED_OTHER)
attempt("keep the policy without times", 0, 0, 0, flags=keep, policy=os.SCHED_OTHER)
keep |= SCHED_FLAG_KEEP_PARAMS
attempt("keep both", 0, 0, 0, flags=keep, policy=os.SCHED_OTHER)
attempt("reset", 10 * MS, 100 * MS, 100 * MS, flags=SCHED_FLAG_RESET_ON_FORK)
call("with reset", os.sched_getscheduler, 0)
pid = os.fork()
if pid == 0:
    show("child")
    os._exit(0)
os.waitpid(pid, 0)
back()
show("back")

for flags in (RECLAIM, OVERRUN, OVERRUN | RECLAIM, OVERRUN | SCHED_FLAG_RESET_ON_FORK):
    attempt(f"flags {flags}", 10 * MS, 100 * MS, 100 * MS, flags=flags)
    attempt("keep them", 20 * MS, 100 * MS, 100 * MS, flags=SCHED_FLAG_KEEP_PARAMS)
    keep = SCHED_FLAG_KEEP_POLICY
    attempt("keep the policy only", 20 * MS, 100 * MS, 100 * MS, flags=keep)
    attempt("keep both", 10 * MS, 100 * MS, 100 * MS, flags=keep | SCHED_FLAG_KEEP_PARAMS)
    back()
for policy, priority in ((os.SCHED_OTHER, 0), (os.SCHED_FIFO, 3), (os.SCHED_IDLE, 0)):
    attempt(f"of policy {policy}", 0, 0, 0, OVERRUN | RECLAIM, 0, policy, priority)
    back()

call("greatest", os.sched_get_priority_max, SCHED_DEADLINE)
call("least", os.sched_get_priority_min, SCHED_DEADLINE)
pid = os.fork()
if pid == 0:
    os.setresuid(62050, 62050, 62050)
    attempt("user", MS, 10 * MS, 10 * MS)
    attempt("user, no times", 0, 0, 0)
    attempt("user, other's", MS, 10 * MS, 10 * MS, pid=os.getppid())
    os._exit(0)
os.waitpid(pid, 0)
