"""What a CPU reads and when others see what it wrote: memory models, one object each.

At granularity ``step`` the driver has every LOAD, STORE and BARRIER of a path done by the machine's
model. Only those are subject to it: a plain statement of a path is an access to memory itself, as
if a lock or a barrier stood before it.

A model that holds stores back gives each as a *drain*: an entry beside the paths in what can go
next, so that when it becomes visible is a choice like any other (``kernel.drive.chooser``).

There is one so far, ``sc``: sequential consistency. See decision 0008. A further one is a class
here and a line in ``_MODELS``; from outside it is made known by ``register_memory_model``, and in a
configuration ``machine.memory_model`` may name its file (``cluster.driver_parts``).

Source: Documentation/memory-barriers.txt; for models with buffers, Owens, Sarkar and Sewell,
A better x86 memory model: x86-TSO (2009).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol


class Drain:
    """A store that its CPU has made and others do not see yet; an entry of what can go next."""

    __slots__ = ("cpu", "now_ns", "op", "serial", "task")

    def __init__(self, cpu: int, obj: Any, field: str, value: Any) -> None:
        self.cpu = cpu
        self.op: tuple[str, int, Any] = ("store_buffer.drain", DRAIN, (obj, field, value))
        self.task: Any = None
        # set by the driver: when it may become visible, if virtual time decides
        self.now_ns = 0
        self.serial = 0

    def __repr__(self) -> str:
        obj, field, value = self.op[2]
        return f"<store of cpu {self.cpu}: {field} = {value!r} of {obj!r}>"


DRAIN: Final = -1  # the kind of a drain: no path stops at one


class MemoryModel(Protocol):
    """How the CPUs of one machine see its memory.

    Attributes:
        buffers: it holds stores back, so it is to be asked for drains and told of barriers.
    """

    buffers: bool

    def load(self, cpu: int, obj: Any, field: str) -> Any:
        """Return what ``cpu`` reads in ``field`` of ``obj``."""
        ...

    def store(self, cpu: int, obj: Any, field: str, value: Any) -> Drain | None:
        """Let ``cpu`` write; return the drain that will make it visible, or None if it is."""
        ...

    def barrier(self, cpu: int, kind: int) -> None:
        """``cpu`` is about to pass a point that orders memory.

        Args:
            kind: BARRIER, or ACQUIRE, READ, RELEASE, SCHEDULE, RESCHED, which order it too.
        """
        ...

    def drains(self) -> Sequence[Drain]:
        """Return those that may become visible next, in an order that does not depend on hashes."""
        ...

    def drain(self, entry: Drain) -> None:
        """Make one of ``drains`` visible."""
        ...


class SequentialConsistency:
    """``sc``: every access is one to memory itself, in the order of the steps."""

    buffers = False

    def load(self, cpu: int, obj: Any, field: str) -> Any:
        """Return the field."""
        return getattr(obj, field)

    def store(self, cpu: int, obj: Any, field: str, value: Any) -> Drain | None:
        """Set the field."""
        setattr(obj, field, value)
        return None

    def barrier(self, cpu: int, kind: int) -> None:
        """Nothing is out of order."""

    def drains(self) -> Sequence[Drain]:
        """Return nothing: no store is held back."""
        return ()

    def drain(self, entry: Drain) -> None:
        """Never called: there are none."""
        raise AssertionError(f"{entry!r} under sc")


LATER: Final = ("tso", "pso", "arm", "weak")

_MODELS: Final[dict[str, Callable[[], MemoryModel]]] = {"sc": SequentialConsistency}


def register_memory_model(name: str, make: Callable[[], MemoryModel]) -> None:
    """Let ``name`` stand for the models that ``make`` makes.

    Raises:
        ValueError: the name stands for another already, or for one that is to come.
    """
    if name in LATER or _MODELS.setdefault(name, make) is not make:
        raise ValueError(f"the name {name!r} stands for another memory model")


def memory_model_names() -> list[str]:
    """Return the names that are known, the built-in one first."""
    return list(_MODELS)


def make_memory_model(name: str) -> MemoryModel:
    """Return a new model of the kind ``name``.

    Raises:
        ValueError: there is none.
    """
    make = _MODELS.get(name)
    if make is not None:
        return make()
    why = "is not here yet" if name in LATER else "is none"
    raise ValueError(f"the memory model {name!r} {why} (there is: {', '.join(_MODELS)})")
