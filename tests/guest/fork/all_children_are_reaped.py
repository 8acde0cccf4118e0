"""The pids that wait returns are exactly those that fork returned."""

import os

forked = set()
for number in range(20):
    pid = os.fork()
    if pid == 0:
        os._exit(number)
    forked.add(pid)
reaped = set()
codes = []
while len(reaped) < 20:
    pid, status = os.wait()
    assert pid not in reaped
    reaped.add(pid)
    codes.append(os.waitstatus_to_exitcode(status))
print(len(forked), reaped == forked, sorted(codes))
try:
    os.wait()
except ChildProcessError as error:
    print("no more:", error.errno)
