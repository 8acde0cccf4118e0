"""Which sizes of their structure sched_setattr() and sched_getattr() take."""

import os

from workloads.guest import SCHED_FLAG_UTIL_CLAMP_MIN, sched_getattr, sched_setattr

for size in (0, 1, 47, 48, 52, 56, 57, 4096, 4097):
    try:
        sched_setattr(0, os.SCHED_BATCH, nice=1, size=size)
        print("set", size)
    except OSError as error:
        print("set", size, error.errno)
    try:
        print("get", size, sched_getattr(0, size)[:4])
    except OSError as error:
        print("get", size, error.errno)
for pid in (-1, 4000000):
    for size in (0, 56):
        try:
            sched_setattr(pid, os.SCHED_BATCH, size=size + 1)
        except OSError as error:
            print("set", pid, size, error.errno)
        try:
            print(sched_getattr(pid, size))
        except OSError as error:
            print("get", pid, size, error.errno)
for size in (48, 56):
    try:
        sched_setattr(0, os.SCHED_BATCH, size=size, flags=SCHED_FLAG_UTIL_CLAMP_MIN)
    except OSError as error:
        print("clamp", size, error.errno)
for policy, priority in ((os.SCHED_FIFO, 5), (os.SCHED_IDLE, 0), (os.SCHED_OTHER, 0)):
    sched_setattr(0, policy, nice=3, priority=priority, flags=1)
    print(sched_getattr(0)[:4])
