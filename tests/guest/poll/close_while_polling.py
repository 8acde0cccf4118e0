"""A thread closes a pipe's end that another thread polls; the file is kept open."""

import os
import select
import threading
import time

r, w = os.pipe()
e = os.eventfd(0)
seen = []


def poller():
    poll = select.poll()
    poll.register(r, select.POLLIN)
    poll.register(w, 0)
    poll.register(e, select.POLLIN)
    for fd, mask in poll.poll():
        seen.append((fd == e, mask))


thread = threading.Thread(target=poller)
thread.start()
time.sleep(0.05)
os.close(w)  # the poller's own reference keeps the end open: no hang-up
time.sleep(0.05)
print(seen)
os.eventfd_write(e, 1)
thread.join()
print(seen)
print(os.read(r, 1))
