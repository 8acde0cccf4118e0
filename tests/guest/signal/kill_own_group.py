"""kill(0) and killpg end the caller with its whole group."""

import os
import signal


def member(way):
    os.setpgid(0, 0)
    read_end, write_end = os.pipe()
    for _ in range(3):
        if os.fork() == 0:
            os.close(read_end)
            os.read(os.pipe()[0], 1)
            os._exit(0)
    os.close(write_end)
    if way == 0:
        os.kill(0, signal.SIGKILL)
    os.killpg(os.getpgrp(), signal.SIGUSR1)
    os._exit(0)


for way in (0, 1):
    pid = os.fork()
    if pid == 0:
        member(way)
    print(way, os.waitpid(pid, 0)[1])
