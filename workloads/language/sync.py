"""The synchronisation objects of ``threading``: RLock, Condition, Semaphore, Event, Barrier.

RLock is C in CPython, so it is made of library frames here. The others are Python there: their
functions are in ``libraries/threading.py``, in the guest language, and run as guest frames without
tracebacks of their own.

Source: CPython Lib/threading.py, Modules/_threadmodule.c.
Deviation: an object is known by its state, and has no text. What a thread waited on is freed when
its wait is over, not when the last reference goes.
"""

from typing import Any

from kernel.uapi import syscalls as nr
from workloads.language.bounded import tname
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, RETURN, VALUE, Frame, own_process
from workloads.language.library import CHECK, give_back, library
from workloads.language.values import CALLABLE, UNBOUND, LockHandle, SyncHandle

Values = list[Any]


def call(G: Values, name: str, *args: Any) -> Any:
    """Return the op that calls a function of ``libraries/threading.py``."""
    code = G[0].program.runtime.library("threading")[name]
    return (CALL, code, [*args, *(UNBOUND,) * (code.locals_count - len(args))])


# ---- making them -------------------------------------------------------------------------------


def lock_new(G: Values) -> LockHandle:
    """Return ``threading.Lock()``."""
    process = own_process(G)
    process.locks += 1
    return LockHandle(process.locks)


def rlock_new(G: Values) -> SyncHandle:
    """Return ``threading.RLock()``."""
    return SyncHandle("RLock", [lock_new(G), None, 0])


def condition_new(G: Values, lock: Any) -> SyncHandle:
    """Return ``threading.Condition(lock)``."""
    return SyncHandle("Condition", _condition(rlock_new(G) if lock is None else lock))


def _condition(lock: Any) -> Values:
    if type(lock) is SyncHandle and lock.kind == "RLock":
        return [lock, [], lock.state]
    if type(lock) is LockHandle:
        return [lock, [], None]
    raise FatalRunError("the lock of a Condition is a Lock or an RLock in the guest language")


def semaphore_new(G: Values, value: Any) -> SyncHandle:
    """Return ``threading.Semaphore(value)``."""
    if value < 0:
        raise ValueError("semaphore initial value must be >= 0")
    return SyncHandle("Semaphore", [_condition(lock_new(G)), value, None])


def bounded_semaphore_new(G: Values, value: Any) -> SyncHandle:
    """Return ``threading.BoundedSemaphore(value)``."""
    made = semaphore_new(G, value)
    made.kind = "BoundedSemaphore"
    made.state[2] = value
    return made


def event_new(G: Values) -> SyncHandle:
    """Return ``threading.Event()``."""
    return SyncHandle("Event", [_condition(lock_new(G)), False])


def barrier_new(G: Values, parties: Any, action: Any, timeout: Any) -> SyncHandle:
    """Return ``threading.Barrier(parties, action, timeout)``."""
    if action is not None and type(action) not in CALLABLE:
        raise FatalRunError("the action of a Barrier is a function in the guest language")
    return SyncHandle("Barrier", [_condition(lock_new(G)), parties, action, timeout, 0, 0])


# ---- what only libraries/threading.py calls ----------------------------------------------------


def runtime_current(G: Values) -> int:
    """Return the calling thread's number, which a forked child keeps."""
    current: int = G[0].current
    return current


def runtime_forget(G: Values, lock: LockHandle) -> Any:
    """Begin to free a lock that a thread has waited on."""
    return (nr.NR_LOCK_FREE, lock.number)


# ---- RLock: [state, op] ------------------------------------------------------------------------
# Source: CPython Modules/_threadmodule.c:rlock_acquire(), rlock_release().


def _rlock_try(F: Frame, L: Values, G: Values, V: Any) -> Any:
    state = L[0]
    if state[2] and state[1] == G[0].current:
        state[2] += 1
        return (RETURN, True)
    F.pc = 1
    return L[1]


def _rlock_taken(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if V:
        L[0][1] = G[0].current
        L[0][2] = 1
    if G[0].attention:
        F.pc = 2
        return (CALL, CHECK, [V])
    return (RETURN, V)


_RLOCK_ACQUIRE = library(
    "RLock.acquire",
    (_rlock_try, -1),
    (_rlock_taken, -1),
    (give_back, -1),
    interruptible=False,
)


def rlock_acquire(state: Values, op: Any) -> Any:
    """Begin to take an RLock; ``op`` is what takes the lock in it."""
    return (CALL, _RLOCK_ACQUIRE, [state, op])


def rlock_release(G: Values, state: Values) -> Any:
    """Begin to give an RLock up."""
    if not state[2] or state[1] != G[0].current:
        raise RuntimeError("cannot release un-acquired lock")
    state[2] -= 1
    if state[2]:
        return (VALUE, None)
    state[1] = None
    return (nr.NR_LOCK_RELEASE, state[0].number)


# ---- methods -----------------------------------------------------------------------------------

_WAIT = ("timeout",)

#: kind -> method -> names of its parameters
METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    "RLock": {"acquire": ("blocking", "timeout"), "release": ()},
    "Condition": {
        "acquire": ("blocking", "timeout"),
        "release": (),
        "wait": _WAIT,
        "wait_for": ("predicate", "timeout"),
        "notify": ("n",),
        "notify_all": (),
    },
    "Semaphore": {"acquire": ("blocking", "timeout"), "release": ("n",)},
    "BoundedSemaphore": {"acquire": ("blocking", "timeout"), "release": ("n",)},
    "Event": {"is_set": (), "set": (), "clear": (), "wait": _WAIT},
    "Barrier": {"wait": _WAIT, "reset": (), "abort": ()},
}


def method(G: Values, handle: SyncHandle, name: str, args: dict[str, Any], lock_method: Any) -> Any:
    """Begin a method of one of these objects.

    Args:
        lock_method: what begins a method of a Lock.
    """
    kind, state = handle.kind, handle.state
    if kind == "Condition":
        if name in ("acquire", "release"):
            inner = state[0]
            if type(inner) is LockHandle:
                return lock_method(inner, name, args)
            return method(G, inner, name, args, lock_method)
        if name == "wait_for":
            if "predicate" not in args:
                raise TypeError(
                    "Condition.wait_for() missing 1 required positional argument: 'predicate'"
                )
            timeout = args.get("timeout")
            return call(G, "condition_wait_for", state, args["predicate"], timeout)
        if name == "wait":
            return call(G, "condition_wait", state, args.get("timeout"))
        if name == "notify":
            return call(G, "condition_notify", state, args.get("n", 1))
        return call(G, "condition_notify_all", state)
    if kind == "RLock":
        if name == "acquire":
            return rlock_acquire(state, lock_method(state[0], name, args))
        return rlock_release(G, state)
    if kind in ("Semaphore", "BoundedSemaphore"):
        if name == "acquire":
            blocking = args.get("blocking", True)
            return call(G, "semaphore_acquire", state, blocking, args.get("timeout"))
        return call(G, "semaphore_release", state, args.get("n", 1))
    if kind == "Event":
        if name == "is_set":
            return (VALUE, state[1])
        if name == "wait":
            return call(G, "event_wait", state, args.get("timeout"))
        return call(G, f"event_{name}", state)
    if name == "wait":
        return call(G, "barrier_wait", state, args.get("timeout"))
    return call(G, f"barrier_{name}", state)


def enter(G: Values, handle: SyncHandle, lock_method: Any) -> Any:
    """Begin ``with handle:``."""
    if "acquire" not in METHODS[handle.kind]:
        raise TypeError(f"'{tname(handle)}' object does not support the context manager protocol")
    return method(G, handle, "acquire", {}, lock_method)


def attribute(handle: SyncHandle, name: str) -> Any:
    """Return an attribute that can be read."""
    if handle.kind == "Barrier":
        state = handle.state
        if name == "parties":
            return state[1]
        if name == "n_waiting":
            return state[5] if state[4] == 0 else 0
        if name == "broken":
            return state[4] == -2
    raise AttributeError(f"'{tname(handle)}' object has no attribute '{name}'")
