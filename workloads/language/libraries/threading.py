"""What CPython's threading.py does, in the guest language.

``workloads.language.guest_libraries`` compiles this file; nothing imports it. Its
functions run as frames of the guest thread that calls them, with the same system calls, the same
places where a signal handler may come in between, and the same locks as CPython's. ``self`` is the
state of the object:

=========  ==========================================================================
lock       a Lock, or the state of an RLock: [lock, owner or None, how often taken]
condition  [Lock or RLock, waiters, state of the RLock or None]
semaphore  [condition, value, initial value of a bounded one or None]
event      [condition, flag]
barrier    [condition, parties, action, timeout, state, count]
=========  ==========================================================================

There are no constants here: a global would be one of the program's.

Source: CPython Lib/threading.py (3.11).
"""

from threading import BrokenBarrierError, Lock
from time import monotonic

from _runtime import current, forget


def condition_is_owned(self):
    rlock = self[2]
    if rlock is not None:
        return rlock[2] > 0 and rlock[1] == current()
    if self[0].acquire(False):
        self[0].release()
        return False
    return True


def condition_release_save(self):
    rlock = self[2]
    if rlock is None:
        self[0].release()
        return None
    saved = (rlock[1], rlock[2])
    rlock[1] = None
    rlock[2] = 0
    rlock[0].release()
    return saved


def condition_acquire_restore(self, saved):
    if saved is None:
        self[0].acquire()
        return
    rlock = self[2]
    rlock[0].acquire()
    rlock[1], rlock[2] = saved


def condition_wait(self, timeout):
    if not condition_is_owned(self):
        raise RuntimeError("cannot wait on un-acquired lock")
    waiter = Lock()
    waiter.acquire()
    self[1].append(waiter)
    saved = condition_release_save(self)
    gotit = False
    try:
        if timeout is None:
            waiter.acquire()
            gotit = True
        elif timeout > 0:
            gotit = waiter.acquire(True, timeout)
        else:
            gotit = waiter.acquire(False)
        return gotit
    finally:
        condition_acquire_restore(self, saved)
        if not gotit and waiter in self[1]:
            self[1].remove(waiter)
        forget(waiter)


def condition_wait_for(self, predicate, timeout):
    endtime = None
    waittime = timeout
    result = predicate()
    while not result:
        if waittime is not None:
            if endtime is None:
                endtime = monotonic() + waittime
            else:
                waittime = endtime - monotonic()
                if waittime <= 0:
                    break
        condition_wait(self, waittime)
        result = predicate()
    return result


def condition_notify(self, n):
    if not condition_is_owned(self):
        raise RuntimeError("cannot notify on un-acquired lock")
    waiters = self[1]
    while waiters and n > 0:
        waiter = waiters[0]
        try:
            waiter.release()
        except RuntimeError:
            pass
        else:
            n -= 1
        if waiter in waiters:
            waiters.remove(waiter)


def condition_notify_all(self):
    condition_notify(self, len(self[1]))


def semaphore_acquire(self, blocking, timeout):
    if not blocking and timeout is not None:
        raise ValueError("can't specify timeout for non-blocking acquire")
    taken = False
    endtime = None
    with self[0][0]:
        while self[1] == 0:
            if not blocking:
                break
            if timeout is not None:
                if endtime is None:
                    endtime = monotonic() + timeout
                else:
                    timeout = endtime - monotonic()
                    if timeout <= 0:
                        break
            condition_wait(self[0], timeout)
        else:
            self[1] -= 1
            taken = True
    return taken


def semaphore_release(self, n):
    if n < 1:
        raise ValueError("n must be one or more")
    with self[0][0]:
        if self[2] is not None and self[1] + n > self[2]:
            raise ValueError("Semaphore released too many times")
        self[1] += n
        for _ in range(n):
            condition_notify(self[0], 1)


def event_set(self):
    with self[0][0]:
        self[1] = True
        condition_notify_all(self[0])


def event_clear(self):
    with self[0][0]:
        self[1] = False


def event_wait(self, timeout):
    with self[0][0]:
        signaled = self[1]
        if not signaled:
            signaled = condition_wait(self[0], timeout)
        return signaled


def barrier_wait(self, timeout):
    if timeout is None:
        timeout = self[3]
    with self[0][0]:
        while self[4] in (-1, 1):
            condition_wait(self[0], None)
        if self[4] < 0:
            raise BrokenBarrierError
        index = self[5]
        self[5] += 1
        try:
            if index + 1 == self[1]:
                barrier_release(self)
            else:
                barrier_sleep(self, timeout)
            return index
        finally:
            self[5] -= 1
            if self[5] == 0 and self[4] in (-1, 1):
                self[4] = 0
                condition_notify_all(self[0])


def barrier_release(self):
    try:
        action = self[2]
        if action is not None:
            action()
        self[4] = 1
        condition_notify_all(self[0])
    except BaseException:
        barrier_break(self)
        raise


def barrier_sleep(self, timeout):
    endtime = None
    waittime = timeout
    while self[4] == 0:
        if waittime is not None:
            if endtime is None:
                endtime = monotonic() + waittime
            else:
                waittime = endtime - monotonic()
                if waittime <= 0:
                    barrier_break(self)
                    raise BrokenBarrierError
        condition_wait(self[0], waittime)
    if self[4] < 0:
        raise BrokenBarrierError


def barrier_break(self):
    self[4] = -2
    condition_notify_all(self[0])


def barrier_reset(self):
    with self[0][0]:
        if self[5] > 0:
            if self[4] in (0, -2):
                self[4] = -1
        else:
            self[4] = 0
        condition_notify_all(self[0])


def barrier_abort(self):
    with self[0][0]:
        barrier_break(self)


def timer_run(finished, interval, function, args, kwargs):
    event_wait(finished, interval)
    if not finished[1]:
        function(*args, **kwargs)
    event_set(finished)
