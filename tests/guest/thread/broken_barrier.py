"""A Barrier breaks by timeout, abort(), reset() or a failing action, for all who wait."""

import threading
import time
from threading import BrokenBarrierError

result = []


def waiter(timeout):
    try:
        result.append(barrier.wait(timeout))
    except BrokenBarrierError as error:
        result.append("broken" + str(error))


def start(count, timeout):
    threads = []
    for _ in range(count):
        threads.append(threading.Thread(target=waiter, args=(timeout,)))
    for thread in threads:
        thread.start()
    while barrier.n_waiting < count and not barrier.broken:
        time.sleep(0.0005)
    return threads


def join(what, threads):
    for thread in threads:
        thread.join()
    print(what, len(result), result.count("broken"), barrier.broken)
    result.clear()


def fail():
    raise ZeroDivisionError("in the action")


barrier = threading.Barrier(3)
join("timeout", start(2, 0.002))
try:
    barrier.wait()
except threading.BrokenBarrierError as error:
    print("still broken", isinstance(error, RuntimeError), isinstance(error, BrokenBarrierError))
barrier.reset()
print("reset", barrier.broken, barrier.n_waiting)
threads = start(2, None)
barrier.abort()
join("abort", threads)
barrier.reset()
threads = start(2, None)
barrier.reset()
join("reset", threads)
threads = start(2, None)
waiter(None)
join("whole again", threads)
barrier = threading.Barrier(2, action=fail, timeout=5)
threads = start(1, None)
try:
    barrier.wait()
except ZeroDivisionError as error:
    print("action", error)
join("action failed", threads)
