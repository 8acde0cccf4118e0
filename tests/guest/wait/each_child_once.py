"""A child can be waited for once, by its pid, in any order."""

import os

pids = []
for code in range(4):
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    pids.append(pid)
for index in (2, 0, 3, 1):
    reaped, status = os.waitpid(pids[index], 0)
    print(index, reaped == pids[index], status >> 8)
    try:
        os.waitpid(pids[index], 0)
    except ChildProcessError as error:
        print("a second time: errno", error.errno)
