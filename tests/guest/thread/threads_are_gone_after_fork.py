"""In a forked child the other threads do not exist; their locks are as they were."""

import os
import threading

from workloads import guest

gate = os.pipe()
lock = threading.Lock()
held = []


def idle():
    with lock:
        held.append(guest.gettid())
        os.read(gate[0], 1)


thread = threading.Thread(target=idle)
thread.start()
while not held:
    os.sched_yield()
pid = os.fork()
if pid == 0:
    print("child", thread.is_alive(), lock.acquire(blocking=False), lock.locked())
    thread.join()
    try:
        os.kill(held[0], 0)
        print("its id exists, in the parent")
    except ProcessLookupError:
        print("gone")
    os._exit(len(held))
print(os.waitpid(pid, 0)[1] >> 8)
print("parent", thread.is_alive(), lock.locked())
os.write(gate[1], b"x")
thread.join()
print(thread.is_alive(), lock.locked())
