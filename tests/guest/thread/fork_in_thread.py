"""fork in a thread copies that thread alone; its child is the whole process's to wait for."""

import os
import threading

result = []


def fork_here():
    pid = os.fork()
    if pid == 0:
        # No other thread is here: what only this one knows decides.
        os._exit(15)
    result.append(pid)


thread = threading.Thread(target=fork_here)
thread.start()
thread.join()
pid, status = os.wait()
print("reaped by the main thread", pid == result[0], status >> 8)
