"""A forked child has copies of the synchronisation objects, in the state they had."""

import os
import threading
import time


def hold():
    with condition:
        held.append(1)
        condition.wait()
    with lock:
        held.append(2)
        time.sleep(0.01)


lock = threading.Lock()
condition = threading.Condition()
event = threading.Event()
semaphore = threading.Semaphore(2)
held = []
thread = threading.Thread(target=hold)
thread.start()
while not held:
    time.sleep(0.001)
with condition:
    semaphore.acquire()
pid = os.fork()
if pid == 0:
    event.set()
    with condition:
        condition.notify()  # its waiter is not in this process
    print("child", event.is_set(), semaphore.acquire(False), semaphore.acquire(False), held)
    os._exit(0)
os.waitpid(pid, 0)
print("parent", event.is_set(), semaphore.acquire(False), semaphore.acquire(False))
with condition:
    condition.notify()
while len(held) < 2:
    time.sleep(0.001)
pid = os.fork()
if pid == 0:
    print("child", lock.acquire(False), held)
    os._exit(0)
os.waitpid(pid, 0)
thread.join()
print("parent", lock.acquire(False), held)
