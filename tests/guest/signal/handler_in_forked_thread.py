"""The thread that forks is the main thread of the child: handlers run there."""

import os
import signal
import threading

seen = []


def note(number, frame):
    seen.append(int(number))


def worker():
    pid = os.fork()
    if pid == 0:
        seen.clear()
        signal.signal(signal.SIGUSR2, note)
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        print("child", seen)
        os._exit(len(seen))
    print(os.waitpid(pid, 0)[1])


signal.signal(signal.SIGUSR1, note)
thread = threading.Thread(target=worker)
thread.start()
thread.join()
print("parent", seen)
