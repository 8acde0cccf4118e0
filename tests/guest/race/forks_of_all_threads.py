"""All threads fork at once: different children, each reaped by the thread that made it."""

import os
import threading

made = []
lock = threading.Lock()


def fork_and_wait():
    for code in (1, 2):
        pid = os.fork()
        if pid == 0:
            os._exit(code)
        reaped, status = os.waitpid(pid, 0)
        assert reaped == pid and status == code << 8
        with lock:
            made.append(pid)


threads = []
for _ in range(3):
    thread = threading.Thread(target=fork_and_wait)
    threads.append(thread)
    thread.start()
for thread in threads:
    thread.join()
print("children", len(made))
