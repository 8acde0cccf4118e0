"""Of several zombies a wait takes the oldest child; with a group, the oldest that fits."""

import os

LOOK = os.WEXITED | os.WNOWAIT
pids = []
gates = []
for number in range(6):
    gate = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(gate[0], 1)
        os._exit(number)
    pids.append(pid)
    gates.append(gate[1])
os.setpgid(pids[1], 0)
os.setpgid(pids[4], pids[1])
os.setpgid(pids[2], pids[1])
for number in (5, 2, 4, 3, 0, 1):
    os.write(gates[number], b"x")
    os.waitid(os.P_PID, pids[number], LOOK)
    first = pids.index(os.waitid(os.P_ALL, 0, LOOK).si_pid)
    print("after", number, "the first is", first)
print("of the group", pids.index(os.waitid(os.P_PGID, pids[1], LOOK).si_pid))
taken = []
for pid, options in ((-pids[1], 0), (0, 0), (-1, 0), (-pids[1], os.WNOHANG), (-1, 0), (0, 0)):
    taken.append(os.waitpid(pid, options)[1] >> 8)
print(taken)
