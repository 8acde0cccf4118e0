"""Threads have ids of their own, one process id, and the leader's id is the process's."""

import os
import threading

from workloads import guest

lock = threading.Lock()
found = []


def note():
    with lock:
        found.append((guest.gettid(), os.getpid(), os.getppid(), os.getpgrp()))


threads = []
for _ in range(6):
    thread = threading.Thread(target=note)
    threads.append(thread)
    thread.start()
for thread in threads:
    thread.join()
me = (guest.gettid(), os.getpid(), os.getppid(), os.getpgrp())
tids = {entry[0] for entry in found}
print("distinct", len(tids), "leader is the process", me[0] == me[1], me[0] in tids)
print("all else is shared", {entry[1:] for entry in found} == {me[1:]})
