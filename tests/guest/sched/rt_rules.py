"""SCHED_FIFO and SCHED_RR: setting, reading back, quantum, inheritance and RESET_ON_FORK."""

import os
import sys


def show(who):
    policy = os.sched_getscheduler(0)
    priority = os.sched_getparam(0).sched_priority
    print(who, hex(policy), priority, os.sched_rr_get_interval(0), os.getpriority(0, 0))


def attempt(name, pid, policy, priority):
    try:
        os.sched_setscheduler(pid, policy, os.sched_param(priority))
        show(name)
    except OSError as error:
        print(name, error.errno)


if len(sys.argv) > 1:
    show("after exec")
    sys.exit(0)
os.nice(4)
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    for priority in (-1, 0, 1, 50, 99, 100):
        attempt(f"{policy} {priority}", 0, policy, priority)
    os.sched_setparam(0, os.sched_param(7))
    show("other priority")
    try:
        os.sched_setparam(0, os.sched_param(0))
    except OSError as error:
        print("none", error.errno)
    os.setpriority(os.PRIO_PROCESS, 0, 9)
    show("nice has no effect")
    os.setpriority(os.PRIO_PROCESS, 0, 4)
    pid = os.fork()
    if pid == 0:
        show("child")
        os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
    os.waitpid(pid, 0)
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    attempt("reset", 0, policy | os.SCHED_RESET_ON_FORK, 3)
    pid = os.fork()
    if pid == 0:
        show("child")
        if os.fork() == 0:
            show("grandchild")
            os._exit(0)
        os.wait()
        os._exit(0)
    os.waitpid(pid, 0)
    show("parent")
attempt("back", 0, os.SCHED_OTHER, 0)
attempt("idle", 0, os.SCHED_IDLE, 0)
attempt("fifo from idle", 0, os.SCHED_FIFO, 1)
pid = os.fork()
if pid == 0:
    os.setresuid(62040, 62040, 62040)
    attempt("a user lowers", 0, os.SCHED_FIFO, 1)
    attempt("raises", 0, os.SCHED_FIFO, 2)
    attempt("changes the kind", 0, os.SCHED_RR, 1)
    attempt("gives it up", 0, os.SCHED_OTHER, 0)
    attempt("and wants it back", 0, os.SCHED_FIFO, 1)
    os._exit(0)
os.waitpid(pid, 0)
