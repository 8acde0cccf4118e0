"""The two forms of a path, and how to come from one to the other.

A path is written as a generator of points (``kernel.points``). A core that was prepared for speed
(``cluster.core.twins``) has a *quick form* of each beside it, for granularity ``syscall``: a plain
function, or, if the path may sleep, a generator that yields only where it does. What the two do is
the same, in virtual time too; a core without quick forms runs the generators.

A function that is held in a variable (a system call's handler, an operation of a file) is always
the path as it is written. Who calls it at granularity ``syscall`` looks the quick form up here.
"""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final, cast

from kernel.errors import InvariantError
from kernel.locking import Lock, acquire, acquire_shared, release
from kernel.points import (
    ACQUIRE,
    LOAD,
    LOAD_ACQUIRE,
    READ,
    RELEASE,
    RESCHED,
    SCHEDULE,
    STORE,
    STORE_RELEASE,
    UPDATE,
)
from kernel.task import TASK_RUNNING

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.points import Path, Point

QUICK: Final[dict[Callable[..., Any], Callable[..., Any]]] = {}
"""Path -> its quick form; the modules of a prepared core enter theirs."""

# Whether a value of this type is a path in progress: compiled, every path has a type of its own.
_IS_PATH: Final[dict[type, bool]] = {}


def quick_form(function: Any) -> Any:
    """Return the quick form of a path; what has none is returned itself."""
    return QUICK.get(function, function)


def is_path(value: object) -> bool:
    """Tell whether what a handler or a quick form has returned is a path that is to be run."""
    kind = type(value)
    known = _IS_PATH.get(kind)
    if known is None:
        known = _IS_PATH[kind] = isinstance(value, Generator)
    return known


def run_plain(k: "Kernel", value: Any) -> Any:
    """Return the result of what was called in a quick form that cannot sleep.

    What has been put into a table from outside the kernel has no quick form: it is run here.

    Raises:
        InvariantError: it sleeps.
    """
    return run_through(k, value) if is_path(value) else value


def run_through(k: "Kernel", path: "Path[Any]") -> Any:
    """Run a path that never sleeps to its end, in virtual time; return its result.

    Raises:
        InvariantError: it sleeps.
    """
    answer: object = None
    while True:
        try:
            name, kind, obj = path.send(answer)
        except StopIteration as done:
            return done.value
        if kind == RESCHED or (kind == SCHEDULE and k.current.state != TASK_RUNNING):
            raise InvariantError(f"{k.current!r} sleeps at {name}, where nobody may")
        answer = pass_point(k, kind, obj)


def next_point(path: "Path[object]", answer: object) -> "Point | None":
    """Answer the point that ``path`` stands at; return its next one, or None at its end."""
    try:
        return path.send(answer)
    except StopIteration:
        return None


def pass_point(k: "Kernel", kind: int, obj: object) -> object:
    """Give a point that is not one of sleep its meaning at granularity ``syscall``.

    Returns:
        what is to be sent to the path: what a LOAD or an UPDATE reads.
    """
    if kind == ACQUIRE:
        acquire(k, cast(Lock, obj))
    elif kind == RELEASE:
        release(k, cast(Lock, obj))
    elif kind == READ:
        acquire_shared(k, cast(Lock, obj))
    elif kind in (LOAD, LOAD_ACQUIRE, UPDATE):
        of, field = cast("tuple[object, str]", obj)
        return getattr(of, field)
    elif kind in (STORE, STORE_RELEASE):
        of, field, value = cast("tuple[object, str, object]", obj)
        setattr(of, field, value)
    return None
