"""Threads end while their process is signalled, stopped and continued: no signal is lost."""

import os
import signal
import threading


def got(sig, frame):
    seen.append(sig)


def nothing():
    pass


seen = []
ready, go = os.pipe()
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGUSR1, got)
    threads = []
    for _ in range(3):
        threads.append(threading.Thread(target=nothing))
    os.write(go, b"x")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while not seen:
        os.sched_yield()
    os._exit(0)
os.read(ready, 1)
os.kill(pid, signal.SIGUSR1)
os.kill(pid, signal.SIGSTOP)
os.kill(pid, signal.SIGCONT)
print(os.waitpid(pid, 0)[1])
