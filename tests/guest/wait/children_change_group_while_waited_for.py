"""A child that leaves the group somebody waits for is no candidate any more; one that stays is."""

import os

gate = os.pipe()
ready = os.pipe()
pids = []
group = 0
for number in range(3):
    pid = os.fork()
    if pid == 0:
        os.close(gate[1])
        os.write(ready[1], b"r")
        os.read(gate[0], 1)
        if number < 2:
            os.setpgid(0, 0)  # the leader of the group stays in it, the second leaves it
        else:
            # the second has left the group before this one ends
            while os.getpgid(pids[1]) != pids[1]:
                os.sched_yield()
        os._exit(30 + number)
    group = group or pid
    os.setpgid(pid, group)
    pids.append(pid)
for _ in pids:
    os.read(ready[0], 1)
os.close(gate[1])
ends = []
for _ in range(2):
    ends.append(os.waitpid(-group, 0)[1] >> 8)
print(sorted(ends))
try:
    os.waitpid(-group, 0)
except ChildProcessError as error:
    print(error)
print(os.waitpid(-pids[1], 0)[1] >> 8)
