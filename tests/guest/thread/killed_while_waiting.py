"""Processes whose threads wait on every kind of object can be killed and can exit."""

import os
import signal
import threading
import time


def wait_on(number):
    ready.append(number)
    if number == 0:
        threading.Event().wait()
    elif number == 1:
        condition = threading.Condition()
        with condition:
            condition.wait()
    elif number == 2:
        threading.Semaphore(0).acquire()
    elif number == 3:
        threading.Barrier(2).wait()
    elif number == 4:
        lock.acquire()


for how in ("kill", "exit"):
    pid = os.fork()
    if pid == 0:
        ready = []
        lock = threading.RLock()
        lock.acquire()
        for number in range(5):
            threading.Thread(target=wait_on, args=(number,), daemon=True).start()
        while len(ready) < 5:
            time.sleep(0.001)
        time.sleep(0.002)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(6)
    print(how, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
