"""A child can take its parent's priority away: it runs on where the parent was about to."""

import os

go_r, go_w = os.pipe()
os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(30))
parent = os.getpid()
pid = os.fork()
if pid == 0:
    os.read(go_r, 1)
    os.write(1, b"child runs\n")
    os.sched_setparam(parent, os.sched_param(5))
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    os.write(1, b"child goes on\n")
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    os.write(1, b"child goes on, equal\n")
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(4))
    os.write(1, b"child again\n")
    os._exit(0)
os.sched_setparam(pid, os.sched_param(40))
os.write(1, b"parent wakes it\n")
os.write(go_w, b"x")
os.write(1, b"parent again %d\n" % os.sched_getparam(0).sched_priority)
os.waitpid(pid, 0)
