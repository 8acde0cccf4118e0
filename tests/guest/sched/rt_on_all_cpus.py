"""Two real-time hogs spread over the two CPUs they may use; a lower one waits until one ends."""

import os

from workloads.guest import compute


def start(priority, name, ms):
    pid = os.fork()
    if pid == 0:
        os.close(go_w)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        os.read(go_r, 1)
        compute(ms * 1_000_000)
        os.write(out_w, name)
        os._exit(0)
    return pid


everything = sorted(os.sched_getaffinity(0))
os.sched_setaffinity(0, {everything[0], everything[-1]})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
go_r, go_w = os.pipe()
out_r, out_w = os.pipe()
pids = []
for _ in range(2):
    pids.append(start(20, b"h", 120))
pids.append(start(10, b"l", 1))
for pid in pids:
    while os.sched_getscheduler(pid) != os.SCHED_FIFO or os.sched_getparam(pid).sched_priority > 20:
        os.sched_yield()
os.close(go_w)
for pid in pids:
    os.waitpid(pid, 0)
text = os.read(out_r, 100)
print(len(text), text[:1], text.count(b"l"))
