"""Signal handlers run while the main thread waits, and may end the wait with an exception."""

import os
import signal
import threading
import time

ran = []


def note(signum, frame):
    ran.append(signum == signal.SIGUSR1)


def fail(signum, frame):
    raise KeyError("from the handler")


def send(what):
    time.sleep(0.003)
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.003)
    if what == "event":
        event.set()
    elif what == "condition":
        with condition:
            condition.notify()
    elif what == "semaphore":
        semaphore.release()
    elif what == "rlock":
        pass


event = threading.Event()
condition = threading.Condition()
semaphore = threading.Semaphore(0)


def helper(what):
    thread = threading.Thread(target=send, args=(what,))
    thread.start()
    return thread


signal.signal(signal.SIGUSR1, note)
thread = helper("event")
print("event", event.wait(), ran)
thread.join()
thread = helper("condition")
with condition:
    print("condition", condition.wait(), ran)
thread.join()
thread = helper("semaphore")
print("semaphore", semaphore.acquire(), ran)
thread.join()
signal.signal(signal.SIGUSR1, fail)
event.clear()
for what in ("event", "condition", "semaphore"):
    thread = helper("nothing")
    try:
        if what == "event":
            event.wait()
        elif what == "condition":
            with condition:
                condition.wait(10)
        else:
            semaphore.acquire()
    except KeyError as error:
        print(what, error)
    thread.join()
# nothing is left behind
with condition:
    condition.notify_all()
semaphore.release()
print(semaphore.acquire(False), event.wait(0))
