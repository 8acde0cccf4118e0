"""Who shares open files, a directory and memory with another leaves them as the other does.

Neither waits for the other: what the first has done there the last, who frees it, comes after.
"""

import mmap
import os
import threading

from workloads import guest


def work():
    os.umask(0o27)
    mmap.mmap(-1, 4096)
    os.close(os.dup(1))


def threads():
    threading.Thread(target=work).start()
    work()
    os._exit(3)


def processes():
    if guest.clone(guest.CLONE_FILES | guest.CLONE_FS) == 0:
        work()
        os._exit(0)
    work()
    os._exit(3)


ends = []
for leave in (threads, processes, threads):
    pid = os.fork()
    if pid == 0:
        leave()
    ends.append(os.waitpid(pid, 0)[1])
print(ends)
