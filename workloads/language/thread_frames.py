"""Threads: how one begins and ends, is started and joined, and what is waited for at exit.

A ``threading.Thread`` has two locks, as in CPython, both taken from before it begins. The thread
gives the first one up once it runs: ``start()`` waits for that. CPython does so first of all, but
goes on with the interpreter lock held; so here it is given up just before the thread's first call.
The second one it gives up when it has ended: ``join()``, ``is_alive()`` and the end of the program
try to take that one. A
wait that an exception ends (a signal handler's) leaves things as CPython does: of ``join()``, the
thread then counts as stopped, nobody waits for it at exit, and others that join it go on.

Source: CPython Lib/threading.py (3.11), Modules/_threadmodule.c.
Deviation: the first lock is not that of an Event, and nothing else is done under it.
"""

from typing import Any, Final

from kernel.uapi.syscalls import (
    NR_EXIT,
    NR_LOCK_ACQUIRE,
    NR_LOCK_FREE,
    NR_LOCK_RELEASE,
    NR_THREAD_START,
)
from workloads.language import tracebacks
from workloads.language.binding import bind
from workloads.language.frames import CALL, RERAISE, RETURN, Frame, own_process
from workloads.language.library import CHECK, library
from workloads.language.thread_record import (
    ALIVE_LOCK,
    ARGS,
    DAEMON,
    ENDED,
    FUNCTION,
    JOINING,
    NAME,
    STARTED_LOCK,
    STOPPED,
    TID,
)

Values = list[Any]

PTHREAD_FLAGS: Final = 0x3D0F00  # what pthread_create passes to clone


# ---- the thread itself: [unused, index in Process.threads] -------------------------------------


def _thread_run(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # up to its first call it has the interpreter for itself: ``Context._begin`` sees to that
    record = G[0].threads[L[1]]
    F.pc = 1
    if record[FUNCTION] is None:
        return 1  # Thread() without a target does nothing
    return bind(G, record[FUNCTION], tuple(record[ARGS]), ())


def _thread_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[1]]
    record[ENDED] = True
    lock = record[ALIVE_LOCK]
    if not lock:
        return 3
    F.pc = 3
    return (NR_LOCK_RELEASE, lock)


def _thread_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 4
    if isinstance(V, SystemExit):
        return 1
    record = G[0].threads[L[1]]
    if record[NAME] is None:
        head = f"Exception ignored in thread started by: {record[FUNCTION]!r}\n"
    else:
        head = f"Exception in thread {record[NAME]}:\n"
    is_thread = record[NAME] is not None
    text = tracebacks.format_exception(V, G[0].path, G[0].program.lines, in_thread=is_thread)
    op = G[0].program.runtime.report(G, [head, *text])
    return 4 if op is None else op


def _thread_exit(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # also where the lock was free: whoever left join() by an exception has given it up
    return (NR_EXIT, 0)


def _thread_told(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return 1  # or there was no stderr to tell it to


THREAD: Final = library(
    "<thread>",
    (_thread_run, 2),
    (_thread_done, 2),
    (_thread_failed, 1),
    (_thread_exit, 3),
    (_thread_told, 4),
)


# ---- start -------------------------------------------------------------------------------------


def _start_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (NR_THREAD_START, L[1], L[0], bool(G[0].threads[L[0]][DAEMON]))


def _start_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    G[0].threads[L[0]][TID] = V
    return (RETURN, None if L[2] is False else V)


def _start_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if isinstance(V, OSError) and L[2] is not None:
        # Source: CPython Modules/_threadmodule.c:thread_PyThread_start_new_thread()
        V = RuntimeError("can't start new thread")
    return (RERAISE, V)


#: [index of the thread, clone flags, whether the tid is the result; None: and OSErrors show]
THREAD_START: Final = library("start", (_start_call, -1), (_start_done, 2), (_start_failed, -1))


def _begin_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    process = own_process(G)
    record = process.threads[L[0]]
    process.locks += 2
    record[STARTED_LOCK], record[ALIVE_LOCK] = process.locks - 1, process.locks
    F.pc = 1
    locks = (record[STARTED_LOCK], record[ALIVE_LOCK])
    return (NR_THREAD_START, PTHREAD_FLAGS, L[0], bool(record[DAEMON]), locks)


def _begin_wait(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[0]]
    record[TID] = V
    F.pc = 2
    return (NR_LOCK_ACQUIRE, record[STARTED_LOCK], True, -1)


def _begin_free(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 3
    return (NR_LOCK_FREE, G[0].threads[L[0]][STARTED_LOCK])


def _begin_failed(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[0]]
    record[STARTED_LOCK] = record[ALIVE_LOCK] = 0
    return (RERAISE, RuntimeError("can't start new thread") if isinstance(V, OSError) else V)


def _begin_end(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if G[0].attention:
        F.pc = 5
        return (CALL, CHECK, [None])
    return (RETURN, None)


def _none(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, None)


#: [index of the thread]: Thread.start()
THREAD_BEGIN: Final = library(
    "Thread.start",
    (_begin_call, -1),
    (_begin_wait, 4),
    (_begin_free, -1),
    (_begin_end, -1),
    (_begin_failed, -1),
    (_none, -1),
    interruptible=False,
)


# ---- join, is_alive: [index, timeout in ns, exception]; [index] --------------------------------


def _join_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[0]]
    if record[STOPPED]:
        return (RETURN, None)
    record[JOINING] += 1
    F.pc = 1
    return (NR_LOCK_ACQUIRE, record[ALIVE_LOCK], True, L[1])


def _join_taken(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[0]]
    if not V:
        record[JOINING] -= 1
        return (RETURN, None)
    F.pc = 2
    return (NR_LOCK_RELEASE, record[ALIVE_LOCK])


def _join_stop(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[0]]
    record[STOPPED] = True
    record[JOINING] -= 1
    if record[JOINING]:
        return (RETURN, None)
    F.pc = 6
    return (NR_LOCK_FREE, record[ALIVE_LOCK])


def _join_left(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # Source: Lib/threading.py:_wait_for_tstate_lock(): whoever holds the lock, it is given up
    record = G[0].threads[L[0]]
    record[JOINING] -= 1
    L[2] = V
    F.pc = 4
    return (NR_LOCK_RELEASE, record[ALIVE_LOCK])


def _join_given_up(F: Frame, L: Values, G: Values, V: Any) -> Any:
    G[0].threads[L[0]][STOPPED] = True
    return (RERAISE, L[2])


def _join_raise(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RERAISE, L[2])  # the thread had ended meanwhile


THREAD_JOIN: Final = library(
    "join",
    (_join_call, -1),
    (_join_taken, 3),
    (_join_stop, 3),
    (_join_left, -1),
    (_join_given_up, 5),
    (_join_raise, -1),
    (_none, -1),
)


def _alive_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[0]]
    if record[STOPPED]:
        return (RETURN, False)
    F.pc = 1
    return (NR_LOCK_ACQUIRE, record[ALIVE_LOCK], False, -1)


def _alive_taken(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if not V:
        return (RETURN, True)
    F.pc = 2
    return (NR_LOCK_RELEASE, G[0].threads[L[0]][ALIVE_LOCK])


def _alive_stop(F: Frame, L: Values, G: Values, V: Any) -> Any:
    record = G[0].threads[L[0]]
    record[STOPPED] = True
    if record[JOINING]:
        return (RETURN, False)
    F.pc = 3
    return (NR_LOCK_FREE, record[ALIVE_LOCK])


def _alive_no(F: Frame, L: Values, G: Values, V: Any) -> Any:
    return (RETURN, False)


THREAD_ALIVE: Final = library(
    "is_alive", (_alive_call, -1), (_alive_taken, -1), (_alive_stop, -1), (_alive_no, -1)
)
