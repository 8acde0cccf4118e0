"""A parent polls the pidfd of a child that exits at the same time: the end is never missed."""

import os
import select

missed = 0
for turn in range(6):
    pid = os.fork()
    if pid == 0:
        os._exit(turn)
    fd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if poll.poll() != [(fd, select.POLLIN)]:
        missed += 1
    os.waitpid(pid, 0)
    os.close(fd)
print(missed)
