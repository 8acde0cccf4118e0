"""Condition.wait and notify need the lock; timeouts and wait_for() say whether it came about."""

import threading


def attempt(what, number):
    try:
        if number == 0:
            condition.wait()
        elif number == 1:
            condition.notify()
        elif number == 2:
            condition.notify_all()
        elif number == 3:
            condition.release()
        elif number == 4:
            plain.wait(0.001)
        elif number == 5:
            plain.release()
        print(what, "done")
    except RuntimeError as error:
        print(what, error)


def false():
    calls.append(1)
    return 0


def grown():
    return len(calls) >= 4 and "yes"


def grow():
    for _ in range(4):
        with condition:
            calls.append(1)
            condition.notify()


condition = threading.Condition()
lock = threading.Lock()
plain = threading.Condition(lock)
calls = []
attempt("wait", 0)
attempt("notify", 1)
attempt("notify_all", 2)
attempt("release", 3)
attempt("plain wait", 4)
attempt("plain release", 5)
with condition:
    print("timeout", condition.wait(0.001), condition.wait(timeout=0), condition.wait(-1))
    print("wait_for", condition.wait_for(false, 0.003), len(calls) >= 2)
    # a condition on an RLock may be taken again, and waits with all of it given up
    with condition:
        print("twice", condition.wait(0.001))
        attempt("notify of nobody", 1)
    print("acquire", condition.acquire(), condition.acquire(blocking=False))
    condition.release()
    condition.release()
calls.clear()
thread = threading.Thread(target=grow)
with plain:
    print("locked", lock.locked(), plain.acquire(False), plain.acquire(timeout=0.001))
    print("plain timeout", plain.wait(0.001), lock.locked())
with condition:
    thread.start()
    print("wait_for", condition.wait_for(grown), len(calls) >= 4)
thread.join()
print(lock.locked())
