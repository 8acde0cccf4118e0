"""Ignoring SIGCHLD reaps children that report with it; others stay zombies."""

import os
import signal

from workloads import guest

WALL = 0x40000000
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
for number in (0, signal.SIGUSR1, signal.SIGWINCH, signal.SIGCHLD):
    ended = os.pipe()
    pid = guest.clone(number)
    if pid == 0:
        os._exit(6)
    os.close(ended[1])
    os.read(ended[0], 1)
    try:
        print(int(number), os.waitpid(pid, WALL)[1])
    except ChildProcessError as error:
        print(int(number), error)
