"""Policies pass through fork, exec and thread start; RESET_ON_FORK clears nice and itself."""

import os
import sys
import threading


def show(who):
    print(who, hex(os.sched_getscheduler(0)), os.getpriority(os.PRIO_PROCESS, 0))


def thread():
    show("thread")
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    show("thread alone")


if len(sys.argv) > 1:
    show("after exec")
    sys.exit(0)
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
os.nice(3)
show("parent")
worker = threading.Thread(target=thread)
worker.start()
worker.join()
show("parent")
pid = os.fork()
if pid == 0:
    show("child")
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(pid, 0)
for nice in (-5, 5):
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    os.sched_setscheduler(0, os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, os.sched_param(0))
    show("parent")
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
pid = os.fork()
if pid == 0:
    go_r, go_w = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go_w)
        os.read(go_r, 1)
        show("set by its parent")
        os._exit(0)
    os.sched_setscheduler(child, os.SCHED_IDLE, os.sched_param(0))
    print(hex(os.sched_getscheduler(child)))
    os.close(go_w)
    os.waitpid(child, 0)
    try:
        os.sched_getscheduler(child)
    except ProcessLookupError as error:
        print(error)
    os._exit(0)
os.waitpid(pid, 0)
