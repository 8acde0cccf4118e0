"""Two threads of a process wait for one child: one of them gets it."""

import os
import threading

got = []


def wait():
    try:
        got.append(os.waitpid(pid, 0)[0] == pid)
    except ChildProcessError:
        got.append(None)


pid = os.fork()
if pid == 0:
    os._exit(0)
thread = threading.Thread(target=wait)
thread.start()
wait()
thread.join()
print("reaped once", got.count(True), got.count(None))
