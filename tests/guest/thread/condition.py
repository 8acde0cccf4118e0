"""A Condition lets its waiters go one by one or all together, in the order in which they came."""

import threading
import time

condition = threading.Condition()
items = []
order = []
waiting = []


def consumer(number):
    with condition:
        waiting.append(number)
        while not items:
            condition.wait()
        order.append((number, items.pop(0)))


threads = []
for number in range(4):
    thread = threading.Thread(target=consumer, args=(number,))
    threads.append(thread)
    thread.start()
    while len(waiting) <= number:
        time.sleep(0.001)
with condition:
    items.append("a")
    condition.notify()
threads[0].join()
print(order)
with condition:
    items.append("b")
    items.append("c")
    condition.notify(2)
threads[1].join()
threads[2].join()
# which of the two gets the lock first is open
print(sorted([number for number, item in order]), sorted([item for number, item in order]))
with condition:
    items.append("d")
    condition.notify_all()
threads[3].join()
print(sorted(order)[3], items)
