"""A program that starts with SIGCHLD ignored has no zombies, whoever had ignored it."""

import os
import signal
import sys

if len(sys.argv) > 1:
    print("ignored", signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN)
    read_end, write_end = os.pipe()
    for _ in range(3):
        if os.fork() == 0:
            os.close(read_end)
            os._exit(5)
    os.close(write_end)
    os.read(read_end, 1)
    try:
        print(os.wait())
    except ChildProcessError as error:
        print(error)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os._exit(6)
    print(os.waitpid(pid, 0)[1])
    sys.exit(0)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
