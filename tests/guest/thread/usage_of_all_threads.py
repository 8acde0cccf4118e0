"""A process's usage has the times of all its threads; each thread has its own clock."""

import os
import threading
import time

from workloads import guest

MS = 1_000_000
clocks = []


def work():
    guest.compute(40 * MS)
    clocks.append(time.thread_time_ns() // (40 * MS))


pid = os.fork()
if pid == 0:
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = time.process_time_ns()
    print(clocks, 120 * MS <= used < 220 * MS, time.thread_time_ns() < 60 * MS)
    now = os.times()
    print(0.1 < now.user + now.system < 0.25)
    os._exit(0)
usage = os.wait4(pid, 0)[2]
print(0.11 < usage.ru_utime + usage.ru_stime < 0.25)
