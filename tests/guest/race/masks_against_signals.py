"""A thread blocks and unblocks a signal while others send it and look: it comes in the end."""

import os
import signal


def got(sig, frame):
    seen.append(sig)


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode()


seen = []
signal.signal(signal.SIGUSR1, got)
parent = os.getpid()
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        if number < 2:
            os.kill(parent, signal.SIGUSR1)
        else:
            for line in read_file(f"/proc/{parent}/status").splitlines():
                if line.startswith("SigBlk:") and line[7:].strip() not in (
                    "0" * 16,
                    "0" * 13 + "200",
                ):
                    os._exit(1)
        os._exit(0)
    children.append(pid)
for _ in range(2):
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1,))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGUSR1,))
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
print(statuses, 1 <= len(seen) <= 2)
