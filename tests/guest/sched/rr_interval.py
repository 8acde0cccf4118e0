"""sched_rr_get_interval: of a fair task its slice in whole ticks, if it has one of its own."""

import os
import time

from workloads.guest import sched_setattr

POLICIES = (os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_IDLE)

for policy in POLICIES:
    os.sched_setscheduler(0, policy, os.sched_param(0))
    print("policy", policy, os.sched_rr_get_interval(0))
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
for nice in (19, 0, -20):
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    print("nice", nice, os.sched_rr_get_interval(0))
os.setpriority(os.PRIO_PROCESS, 0, 0)
for runtime in (1, 100000, 3999999, 4000000, 7999999, 8000000, 21500000, 100000000, 300000000, 0):
    sched_setattr(0, os.SCHED_OTHER, runtime_ns=runtime)
    print("slice", runtime, os.sched_rr_get_interval(0))
for policy in POLICIES:
    sched_setattr(0, policy, runtime_ns=20000000)
    print("slice of policy", policy, os.sched_rr_get_interval(0))
sched_setattr(0, os.SCHED_OTHER, runtime_ns=20000000)
pid = os.fork()
if pid == 0:
    os.sched_setaffinity(0, {0})
    print("a child's", os.sched_rr_get_interval(0))
    os._exit(0)
os.waitpid(pid, 0)
os.sched_setaffinity(0, {0})
pid = os.fork()
if pid == 0:
    time.sleep(0.05)
    os._exit(0)
time.sleep(0.01)
print("a sleeper's, on this CPU", os.sched_rr_get_interval(pid))
os.waitpid(pid, 0)
for policy in (os.SCHED_FIFO, os.SCHED_RR):
    os.sched_setscheduler(0, policy, os.sched_param(1))
    print("policy", policy, os.sched_rr_get_interval(0))
try:
    os.sched_rr_get_interval(-1)
except OSError as error:
    print(error.errno)
