"""An Event wakes all who wait when it is set, and those who come later do not wait."""

import threading
import time

event = threading.Event()
seen = []


def waiter(number):
    seen.append(event.wait())


print(event.is_set(), event.wait(0.001), event.wait(0), event.wait(timeout=-1))
threads = []
for number in range(3):
    threads.append(threading.Thread(target=waiter, args=(number,)))
for thread in threads:
    thread.start()
time.sleep(0.005)
print(seen)
event.set()
for thread in threads:
    thread.join()
print(seen, event.is_set(), event.wait(), event.wait(0))
event.set()
event.clear()
print(event.is_set(), event.wait(0.001))
again = threading.Thread(target=waiter, args=(9,))
again.start()
event.set()
event.clear()
event.set()
again.join()
print(seen)
