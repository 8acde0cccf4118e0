"""sched_setscheduler and friends: which policies and priorities go together, and every error."""

import os


def attempt(name, policy, priority, pid=0):
    try:
        os.sched_setscheduler(pid, policy, os.sched_param(priority))
        print(name, "ok", hex(os.sched_getscheduler(pid)), os.sched_getparam(pid).sched_priority)
    except OSError as error:
        print(name, error.errno)


def attempt_param(name, priority, pid=0):
    try:
        os.sched_setparam(pid, os.sched_param(priority))
        print(name, "ok")
    except OSError as error:
        print(name, error.errno)


print(os.sched_getscheduler(0), os.sched_getparam(0), os.sched_rr_get_interval(0))
for policy in (-1, 4, 6, 7, 8, 99, 1 << 29):
    for priority in (0, 1):
        attempt(f"policy {policy} {priority}", policy, priority)
for priority in (-1, 0, 1, 99, 100):
    attempt(f"other {priority}", os.SCHED_OTHER, priority)
    attempt(f"batch {priority}", os.SCHED_BATCH, priority)
    attempt(f"idle {priority}", os.SCHED_IDLE, priority)
    attempt_param(f"param {priority}", priority)
    print(os.sched_rr_get_interval(0), os.getpriority(os.PRIO_PROCESS, 0))
attempt("reset on fork", os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, 0)
attempt("and off", os.SCHED_OTHER, 0)
attempt("reset alone of batch", os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, 0)
attempt_param("keeps it", 0)
print(hex(os.sched_getscheduler(0)))
for pid in (-1, 4000000):
    attempt(f"set {pid}", os.SCHED_OTHER, 0, pid)
    attempt(f"set bad policy {pid}", 77, 0, pid)
    attempt_param(f"setparam {pid}", 0, pid)
    for call in ("get", "getparam", "interval"):
        try:
            if call == "get":
                os.sched_getscheduler(pid)
            elif call == "getparam":
                os.sched_getparam(pid)
            else:
                os.sched_rr_get_interval(pid)
        except OSError as error:
            print(call, pid, error.errno)
for policy in range(-1, 9):
    try:
        print(policy, os.sched_get_priority_min(policy), os.sched_get_priority_max(policy))
    except OSError as error:
        print(policy, error.errno)
try:
    os.sched_setscheduler(0, 0, 5)
except TypeError as error:
    print(error)
print(os.sched_param(3), os.sched_param(sched_priority=4).sched_priority)
