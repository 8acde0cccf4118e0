"""The module ``queue``: Queue, LifoQueue and PriorityQueue; their code is ``libraries/queue.py``.

A queue is a ``SyncHandle``, as the objects of ``threading`` are; its items are part of its state.

Source: CPython Lib/queue.py.
Deviation: what leaves a queue with an exception that nobody catches shows no lines of queue.py.
"""

from typing import Any, Final

from workloads.language.bounded import tname
from workloads.language.sync import call, lock_new
from workloads.language.values import SyncHandle

Values = list[Any]

KINDS: Final = ("Queue", "LifoQueue", "PriorityQueue")
_WAITING: Final = ("block", "timeout")
_METHODS: Final[dict[str, tuple[str, ...]]] = {
    "put": ("item", *_WAITING),
    "get": _WAITING,
    "put_nowait": ("item",),
    "get_nowait": (),
    "task_done": (),
    "join": (),
    "qsize": (),
    "empty": (),
    "full": (),
}
#: kind -> method -> names of its parameters
METHODS: Final = dict.fromkeys(KINDS, _METHODS)


def _new(G: Values, kind: int, maxsize: Any) -> SyncHandle:
    mutex = lock_new(G)
    conditions: list[Values] = [[mutex, [], None] for _ in range(3)]
    return SyncHandle(KINDS[kind], [mutex, *conditions, maxsize, 0, kind, []])


def queue_new(G: Values, maxsize: Any) -> SyncHandle:
    """Return ``queue.Queue(maxsize)``."""
    return _new(G, 0, maxsize)


def lifo_queue_new(G: Values, maxsize: Any) -> SyncHandle:
    """Return ``queue.LifoQueue(maxsize)``."""
    return _new(G, 1, maxsize)


def priority_queue_new(G: Values, maxsize: Any) -> SyncHandle:
    """Return ``queue.PriorityQueue(maxsize)``."""
    return _new(G, 2, maxsize)


def method(G: Values, handle: SyncHandle, name: str, args: dict[str, Any]) -> Any:
    """Begin a method of a queue."""
    state = handle.state
    if name in ("put", "put_nowait"):
        if "item" not in args:
            what = f"Queue.{name}() missing 1 required positional argument: 'item'"
            raise TypeError(what)
        block = args.get("block", True) if name == "put" else False
        return call(G, "queue_put", state, args["item"], block, args.get("timeout"))
    if name in ("get", "get_nowait"):
        block = args.get("block", True) if name == "get" else False
        return call(G, "queue_get", state, block, args.get("timeout"))
    return call(G, f"queue_{name}", state)


def attribute(handle: SyncHandle, name: str) -> Any:
    """Return an attribute that can be read."""
    if name == "maxsize":
        return handle.state[4]
    if name == "unfinished_tasks":
        return handle.state[5]
    raise AttributeError(f"'{tname(handle)}' object has no attribute '{name}'")
