"""An RLock belongs to a thread, which may take it again and must release it as often."""

import os
import threading

lock = threading.RLock()


def other(what):
    got = lock.acquire(blocking=False)
    print(what, "got it" if got else "taken")
    if got:
        lock.release()
    try:
        lock.release()
    except RuntimeError as error:
        print(what, error)


def from_other(what):
    thread = threading.Thread(target=other, args=(what,))
    thread.start()
    thread.join()


print(lock.acquire(), lock.acquire(False), lock.acquire(timeout=1))
from_other("three times")
lock.release()
lock.release()
from_other("once")
with lock, lock:
    from_other("with")
lock.release()
from_other("free")
for number in range(3):
    try:
        if number == 0:
            lock.release()
        elif number == 1:
            lock.acquire(False, 1)
        else:
            lock.acquire(True, -5)
    except (RuntimeError, ValueError) as error:
        print(error)
# a forked child is the same thread, so it owns what the forking thread owned
lock.acquire()
pid = os.fork()
if pid == 0:
    print("child", lock.acquire(False))
    lock.release()
    lock.release()
    try:
        lock.release()
    except RuntimeError as error:
        print("child", error)
    os._exit(0)
os.waitpid(pid, 0)
from_other("parent")
lock.release()
from_other("free")
