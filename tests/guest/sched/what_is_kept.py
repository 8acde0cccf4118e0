"""What sched_setattr leaves as it is: parameters that are kept, a slice under other policies."""

import errno
import os

from workloads.guest import (
    SCHED_FLAG_KEEP_PARAMS,
    SCHED_FLAG_KEEP_POLICY,
    SCHED_FLAG_RESET_ON_FORK,
    sched_getattr,
    sched_setattr,
)

SCHED_DEADLINE = 6
MS = 1000000
KEEP = SCHED_FLAG_KEEP_PARAMS
BASE = sched_getattr(0)[4]


def show(name):
    policy, flags, nice, priority, runtime, _, _ = sched_getattr(0)
    print(name, policy, flags, nice, priority, "base" if runtime == BASE else runtime, flush=True)


def attempt(name, policy, priority=0, nice=0, slice_ns=0, flags=0):
    try:
        sched_setattr(0, policy, priority=priority, nice=nice, runtime_ns=slice_ns, flags=flags)
        show(name)
    except OSError as error:
        print(name, error.errno, flush=True)


def change(name, policy, priority=0):
    os.sched_setscheduler(0, policy, os.sched_param(priority))
    show(name)


def in_child(name):
    pid = os.fork()
    if pid == 0:
        show(name)
        change(name + ", other", os.SCHED_OTHER)
        os._exit(0)
    os.waitpid(pid, 0)


# a fair task has no priority to keep: that of the caller is looked at, though it changes nothing
for policy in (os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_FIFO, os.SCHED_IDLE):
    for priority in (0, 1, 99, 100):
        attempt(f"keep, {policy} {priority}", policy, priority, 5, 3 * MS, KEEP)
        attempt(f"keep both, {priority}", policy, priority, 5, 0, KEEP | SCHED_FLAG_KEEP_POLICY)
change("fifo", os.SCHED_FIFO, 10)
for policy in (os.SCHED_OTHER, os.SCHED_RR):
    for priority in (0, 1, 100):
        attempt(f"real-time, keep, {policy} {priority}", policy, priority, 5, 0, KEEP)

# a slice outlasts every policy that has none
change("other", os.SCHED_OTHER)
attempt("slice", os.SCHED_OTHER, slice_ns=3 * MS)
change("idle", os.SCHED_IDLE)
attempt("idle's is not set", os.SCHED_IDLE, slice_ns=9 * MS)
attempt("nor taken away", os.SCHED_IDLE)
change("round robin", os.SCHED_RR, 3)
attempt("real-time's is not set", os.SCHED_FIFO, 4, slice_ns=9 * MS)
in_child("child of fifo")
change("other again", os.SCHED_OTHER)
in_child("child")
for policy, priority in ((os.SCHED_OTHER, 0), (os.SCHED_IDLE, 0), (os.SCHED_FIFO, 1)):
    attempt(f"reset, {policy}", policy, priority, 0, 3 * MS, SCHED_FLAG_RESET_ON_FORK)
    in_child(f"child after reset, {policy}")
change("at the end", os.SCHED_BATCH)
attempt("base again", os.SCHED_BATCH)

# deadline tasks: the mask is looked at before what is left of it
sched_setattr(0, SCHED_DEADLINE, runtime_ns=3 * MS, deadline_ns=100 * MS, period_ns=100 * MS)
try:
    os.sched_setaffinity(0, {2000})
except OSError as error:
    print("no such CPU, deadline", error.errno, flush=True)
change("left", os.SCHED_OTHER)
try:
    os.sched_setaffinity(0, {2000})
except OSError as error:
    print("no such CPU", error.errno, flush=True)
if len(os.sched_getaffinity(0)) > 1:
    os.sched_setaffinity(0, {0})
    refused = 0
    try:
        sched_setattr(
            0,
            SCHED_DEADLINE,
            runtime_ns=3 * MS,
            deadline_ns=100 * MS,
            period_ns=100 * MS,
            flags=KEEP,
        )
    except OSError as error:
        refused = error.errno
    assert refused == errno.EPERM, refused
