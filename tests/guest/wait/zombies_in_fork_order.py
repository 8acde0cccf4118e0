"""Of several zombies wait returns the one that was forked first, not the one that died first."""

import os

pids = []
gates = []
for code in range(5):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        os.read(read_end, 1)
        os._exit(code)
    os.close(read_end)
    pids.append(pid)
    gates.append(write_end)
for index in (3, 1, 4, 0, 2):
    os.write(gates[index], b"g")
    # A dead child that is not reaped: waitid leaves it where it is.
    os.waitid(os.P_PID, pids[index], os.WEXITED | os.WNOWAIT)
for _ in range(5):
    pid, status = os.wait()
    print(pids.index(pid), status >> 8)
