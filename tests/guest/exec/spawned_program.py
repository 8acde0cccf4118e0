"""posix_spawn hands on mask and ignored signals, group, descriptors, directory."""

import os
import signal
import sys

if len(sys.argv) > 1:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    print([int(n) for n in sorted(blocked)], [int(n) for n in sorted(signal.sigpending())])
    kinds = []
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        kinds.append(int(signal.getsignal(number)))
    print(kinds, os.getcwd(), os.getpgrp() == os.getpid(), os.getppid() == int(sys.argv[1]))
    for fd in (90, 91):
        try:
            os.fstat(fd)
            print("open")
        except OSError as error:
            print(error.errno)
    sys.exit(0)


def note(number, frame):
    pass


signal.signal(signal.SIGUSR1, note)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGHUP])
os.kill(os.getpid(), signal.SIGHUP)
signal.alarm(100)
os.chdir("/tmp")
os.dup2(0, 90)
os.dup2(0, 91, False)
words = [sys.executable, "-u", __file__, str(os.getpid())]
environment = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
for group in (None, 0):
    if group is None:
        pid = os.posix_spawn(sys.executable, words, environment)
    else:
        pid = os.posix_spawn(sys.executable, words, environment, setpgroup=group)
    print(os.waitpid(pid, 0)[1])
print([int(n) for n in sorted(signal.sigpending())], signal.alarm(0) > 90)
