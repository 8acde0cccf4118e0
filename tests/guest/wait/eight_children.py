"""Eight children, blocked until told, reaped with 0, WNOHANG and WUNTRACED."""

import os

for options in (0, os.WNOHANG, os.WUNTRACED):
    read_end, write_end = os.pipe()
    pids = set()
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            os.close(write_end)
            os.read(read_end, 1)
            os._exit(3)
        pids.add(pid)
    os.close(read_end)
    print("blocked", os.waitpid(-1, os.WNOHANG))
    os.close(write_end)
    codes = []
    while pids:
        pid, status = os.waitpid(-1, options)
        if pid:
            pids.remove(pid)
            codes.append(status >> 8)
    print(codes)
