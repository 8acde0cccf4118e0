"""fork and exec in threads: each child is alone and its thread's to reap."""

import os
import threading

results = {}


def work(number):
    for turn in range(3):
        pid = os.fork()
        if pid == 0:
            os.execv("/bin/sh", ["sh", "-c", f"exit {number * 10 + turn}"])
        reaped, status = os.waitpid(pid, 0)
        results[number * 10 + turn] = reaped == pid and status >> 8


threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(results.items()))
