"""A chain of processes with PR_SET_PDEATHSIG SIGKILL falls as soon as its head does."""

import os
import signal

from workloads.guest import PR_SET_PDEATHSIG, prctl, set_child_subreaper

set_child_subreaper()
ready_r, ready_w = os.pipe()
end_r, end_w = os.pipe()
LENGTH = 5


def link(depth):
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if depth < LENGTH:
        pid = os.fork()
        if pid == 0:
            link(depth + 1)
    os.write(ready_w, b"x")
    signal.pause()
    os._exit(1)


head = os.fork()
if head == 0:
    os.close(end_r)
    link(1)
os.close(end_w)
for _ in range(LENGTH):
    os.read(ready_r, 1)
os.kill(head, signal.SIGTERM)
print("end of file", os.read(end_r, 1))
ends = []
for _ in range(LENGTH):
    ends.append(-os.waitstatus_to_exitcode(os.wait()[1]))
ends.sort()
print(ends)
