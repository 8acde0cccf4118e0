"""When a thread execs, /proc shows the same process: number, parent, start; one thread."""

import os
import threading


def worker():
    os.execv("/bin/cat", ["cat", f"/proc/{os.getpid()}/comm"])


pid = os.fork()
if pid == 0:
    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
    os._exit(9)
print(os.waitpid(pid, 0)[1])
