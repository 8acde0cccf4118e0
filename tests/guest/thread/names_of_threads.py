"""A thread's name is its own, 15 bytes at most; new threads begin with their maker's."""

import os
import threading

from workloads import guest

log = []


def name():
    return guest.prctl(guest.PR_GET_NAME)


def inner():
    log.append(("inner", name()))


def work():
    log.append(("inherited", name()))
    guest.prctl(guest.PR_SET_NAME, "worker-with-a-long-name")
    log.append(("set", name()))
    thread = threading.Thread(target=inner)
    thread.start()
    thread.join()
    pid = os.fork()
    if pid == 0:
        os._exit(len(name()))
    log.append(("child", os.waitpid(pid, 0)[1] >> 8))


guest.prctl(guest.PR_SET_NAME, "main")
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(log)
print(name())
guest.prctl(guest.PR_SET_NAME, "")
print(repr(name()))
guest.prctl(guest.PR_SET_NAME, "exactly-fifteen")
print(name())
