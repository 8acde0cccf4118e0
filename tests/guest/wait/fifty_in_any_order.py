"""Fifty children, each waited for by pid in an order of its own, each with its own status."""

import os

pids = []
for code in range(50):
    pid = os.fork()
    if pid == 0:
        os._exit(code * 5)
    pids.append(pid)
order = [(7 * number + 3) % 50 for number in range(50)]
wrong = []
for place, number in enumerate(order):
    if place % 3 == 0:
        found, status = os.waitpid(pids[number], 0)
    elif place % 3 == 1:
        info = os.waitid(os.P_PID, pids[number], os.WEXITED)
        found, status = info.si_pid, info.si_status << 8
    else:
        os.waitid(os.P_PID, pids[number], os.WEXITED | os.WNOWAIT)
        found, status = os.waitpid(pids[number], os.WNOHANG)
    if found != pids[number] or status != (number * 5 % 256) << 8:
        wrong.append(number)
print(sorted(order) == list(range(50)), wrong)
try:
    os.wait()
except ChildProcessError as error:
    print(error)
