"""Signals to a child that another thread reaps: delivered, or ESRCH, and nothing else is hit."""

import os
import signal
import threading

failures = []


def kill_often(pid):
    for _ in range(6):
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            failures.append(pid)


pid = os.fork()
if pid == 0:
    os._exit(3)
thread = threading.Thread(target=kill_often, args=(pid,))
thread.start()
reaped, status = os.waitpid(pid, 0)
thread.join()
print("one end", reaped == pid, status in (signal.SIGTERM, 3 << 8), len(failures) <= 6)
