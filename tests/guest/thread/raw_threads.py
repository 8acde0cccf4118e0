"""_thread.start_new_thread() and _thread.exit(): threads without a Thread object."""

import _thread
import sys
import threading
import time

done = threading.Semaphore(0)
lock = _thread.allocate_lock()
seen = []


def quiet(number):
    with lock:
        seen.append(number)
    done.release()
    _thread.exit()
    seen.append("not reached")


def system_exit():
    done.release()
    sys.exit(5)


print(lock.locked(), lock.acquire(), lock.locked())
for number in range(3):
    print(_thread.start_new_thread(quiet, (number,)) > 0)
_thread.start_new_thread(system_exit, ())
done.acquire()
time.sleep(0.002)
print(seen)
lock.release()
for _ in range(3):
    done.acquire()
print(sorted(seen))
try:
    _thread.start_new_thread(quiet, [1])
except TypeError as error:
    print(error)
