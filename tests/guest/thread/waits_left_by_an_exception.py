"""Every wait of threading, left by the exception of a signal handler; and what can be done then."""

import signal
import threading
import time


def ring(number, frame):
    raise KeyError("ring")


def soon():
    signal.setitimer(signal.ITIMER_REAL, 0.03)


def check_lock():
    lock = threading.Lock()
    lock.acquire()
    for timeout in (-1, 5):
        soon()
        try:
            print("lock", lock.acquire(True, timeout))
        except KeyError as error:
            print("lock", timeout, repr(error), lock.locked())
    lock.release()
    print("lock", lock.acquire(False))
    soon()
    try:
        with lock:
            print("not reached")
    except KeyError:
        print("with lock", lock.locked())


def check_rlock():
    rlock = threading.RLock()
    holding = threading.Event()
    let_go = threading.Event()

    holder = threading.Thread(target=hold, args=(rlock, holding, let_go))
    holder.start()
    holding.wait()
    for timeout in (-1, 5):
        soon()
        try:
            print("rlock", rlock.acquire(True, timeout))
        except KeyError:
            print("rlock", timeout, "left")
    let_go.set()
    holder.join()
    print("rlock", rlock.acquire(), rlock.acquire())
    rlock.release()
    rlock.release()


def hold(rlock, holding, let_go):
    with rlock:
        holding.set()
        let_go.wait()


def check_condition():
    condition = threading.Condition()
    for timeout in (None, 5):
        with condition:
            soon()
            try:
                condition.wait(timeout)
            except KeyError:
                print("condition", timeout, "left")
            condition.notify_all()
    with condition:
        soon()
        try:
            condition.wait_for(never, 5)
        except KeyError:
            print("wait_for left")
    try:
        condition.notify()
    except RuntimeError as error:
        print(error)
    with condition:
        print("condition again", condition.wait(0.01))


def never():
    return False


def check_event():
    event = threading.Event()
    for timeout in (None, 5):
        soon()
        try:
            event.wait(timeout)
        except KeyError:
            print("event", timeout, event.is_set())
    event.set()
    print("event", event.wait())


def check_semaphore():
    semaphore = threading.Semaphore(0)
    for timeout in (None, 5):
        soon()
        try:
            semaphore.acquire(True, timeout)
        except KeyError:
            print("semaphore", timeout, "left")
    semaphore.release()
    print("semaphore", semaphore.acquire(), semaphore.acquire(False))


def check_barrier():
    barrier = threading.Barrier(2)
    for timeout in (None, 5):
        soon()
        try:
            barrier.wait(timeout)
        except KeyError:
            print("barrier", timeout, barrier.n_waiting, barrier.broken)
    other = threading.Thread(target=meet, args=(barrier,))
    other.start()
    barrier.wait()
    other.join()
    print("barrier", barrier.n_waiting, barrier.broken)


def meet(barrier):
    barrier.wait()


def sleep(seconds):
    time.sleep(seconds)


def check_join():
    for timeout in (None, 5):
        thread = threading.Thread(target=sleep, args=(0.15,))
        thread.start()
        soon()
        try:
            thread.join(timeout)
        except KeyError:
            print("join", timeout, thread.is_alive())
        thread.join()
        print("joined", thread.is_alive())
    thread = threading.Thread(target=sleep, args=(0.15,))
    thread.start()
    thread.join(0.01)
    print("timed out", thread.is_alive())
    thread.join()
    print("joined", thread.is_alive())


def main():
    signal.signal(signal.SIGALRM, ring)
    check_lock()
    check_rlock()
    check_condition()
    check_event()
    check_semaphore()
    check_barrier()
    check_join()


if __name__ == "__main__":
    main()
