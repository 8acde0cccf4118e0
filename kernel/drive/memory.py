"""What a CPU reads and when others see what it wrote: memory models, one object each.

At granularity ``step`` the driver has every LOAD, STORE, UPDATE and barrier of a path done by the
machine's model. Only those are subject to it: a plain statement of a path is an access to memory
itself. Models of versions count it as made behind a barrier; in a store buffer waits what waits.

What is read and written is a field of an object: of a structure of the kernel, or the ``data`` of a
``Cell``, bytes of a page that guest programs share. Two cells may be of the same bytes, or have
some in common: ``Drain.reach`` tells, and models ask it instead of comparing objects.

A model that holds stores back gives each as a *drain*: an entry beside the paths in what can go
next, so that when it becomes visible is a choice like any other (``kernel.drive.chooser``).

A model that keeps old versions (``VersionedModel``) says in how many *ways* an access can be done.
Way 0 is the path's own entry in what can go next, each other way one beside it.

There are ``sc``, sequential consistency, the store buffers ``tso`` and ``pso``, the commit clock
``arm`` and the views ``weak`` (``kernel.memory``). See decisions 0008 and 0014. A further one is a
class there and a line in ``_MODELS``; from outside it is made known by ``register_memory_model``,
and in a configuration ``machine.memory_model`` may name its file (``cluster.driver_parts``).

Source: Documentation/memory-barriers.txt.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from kernel.memory.commit_clock import CommitClock
from kernel.memory.drains import ALL, DRAIN, NOTHING, PART, Cell, Drain
from kernel.memory.rules import BUFFERED
from kernel.memory.store_buffers import StoreBuffers
from kernel.memory.views import Views


class MemoryModel(Protocol):
    """How the CPUs of one machine see its memory.

    Attributes:
        buffers: it holds stores back, so it is to be asked for drains and told of barriers.
    """

    buffers: bool

    def load(self, cpu: int, obj: Any, field: str, kind: int) -> Any:
        """Return what ``cpu`` reads in ``field`` of ``obj``.

        Args:
            kind: LOAD or LOAD_ACQUIRE.
        """
        ...

    def store(self, cpu: int, obj: Any, field: str, value: Any, kind: int) -> Drain | None:
        """Let ``cpu`` write; return the drain that will make it visible, or None if it is.

        Args:
            kind: STORE or STORE_RELEASE.
        """
        ...

    def update(self, cpu: int, obj: Any, field: str) -> Any:
        """Begin an atomic read-modify-write: return the field, all of ``cpu``'s stores being seen.

        What the path then writes in the same step it writes to memory itself.
        """
        ...

    def barrier(self, cpu: int, kind: int) -> None:
        """``cpu`` is about to pass a point that orders memory; asked only if it ``buffers``.

        Args:
            kind: BARRIER, READ_BARRIER or WRITE_BARRIER; or ACQUIRE, READ, RELEASE, SCHEDULE,
                RESCHED, which order everything; SCHEDULE also for a CPU that has switched tasks.
        """
        ...

    def drains(self) -> Sequence[Drain]:
        """Return those that may become visible next, in an order that does not depend on hashes."""
        ...

    def drain(self, entry: Drain) -> None:
        """Make one of ``drains`` visible."""
        ...


class VersionedModel(MemoryModel, Protocol):
    """A model under which loads may read what is not in memory any more.

    It is told of locks by ``acquire`` and ``release`` instead of ``barrier``.

    Attributes:
        versions: it is one; a model that is none may do without this.
        way: in which way the next access is to be done; 0 after it.
    """

    versions: bool
    way: int

    def ways(self, cpu: int, kind: int, obj: Any) -> int:
        """Return in how many ways ``cpu`` may do what it offers, 1 at least.

        Args:
            kind: LOAD, LOAD_ACQUIRE, STORE or STORE_RELEASE.
            obj: what the point is about, see ``kernel.points``.
        """
        ...

    def settle(self, cpu: int) -> None:
        """A step of ``cpu`` is over: ordinary statements may have changed memory."""
        ...

    def acquire(self, cpu: int, lock: Any) -> None:
        """``cpu`` has got ``lock``, alone or shared."""
        ...

    def release(self, cpu: int, lock: Any) -> None:
        """``cpu`` gives ``lock`` up."""
        ...

    def arrive(self, cpu: int) -> None:
        """A task goes on at ``cpu`` that was elsewhere, or asleep."""
        ...


class UnlockingModel(MemoryModel, Protocol):
    """A model under which to give up a spinning lock is a store that may wait.

    A model that has no ``unlock`` is asked for a ``barrier`` instead.
    """

    def unlock(self, cpu: int, lock: Any, kind: int, seen: Callable[[Any], None]) -> Drain | None:
        """Return what will make it visible that ``cpu`` gives ``lock`` up, or None if it is.

        Args:
            kind: STORE_RELEASE, or STORE if it orders nothing.
            seen: to be called with the lock when it becomes visible.
        """
        ...


def late_unlock(
    memory: MemoryModel,
) -> "Callable[[int, Any, int, Callable[[Any], None]], Drain | None] | None":
    """Return ``UnlockingModel.unlock`` of a model that has it."""
    return getattr(memory, "unlock", None)


class SequentialConsistency:
    """``sc``: every access is one to memory itself, in the order of the steps."""

    buffers = False

    def load(self, cpu: int, obj: Any, field: str, kind: int) -> Any:
        """Return the field."""
        return getattr(obj, field)

    def store(self, cpu: int, obj: Any, field: str, value: Any, kind: int) -> Drain | None:
        """Set the field."""
        setattr(obj, field, value)
        return None

    def update(self, cpu: int, obj: Any, field: str) -> Any:
        """Return the field."""
        return getattr(obj, field)

    def barrier(self, cpu: int, kind: int) -> None:
        """Nothing is out of order."""

    def drains(self) -> Sequence[Drain]:
        """Return nothing: no store is held back."""
        return ()

    def drain(self, entry: Drain) -> None:
        """Never called: there are none."""
        raise AssertionError(f"{entry!r} under sc")


# A model of litmus tests that no machine can have: it judges executions that are over.
AXIOMS: Final = "lkmm"
ELSEWHERE: Final = {AXIOMS: "judges executions that are over, for smplab litmus alone"}

_MODELS: Final[dict[str, Callable[[], MemoryModel]]] = {
    "sc": SequentialConsistency,
    **{name: partial(StoreBuffers, by_location) for name, by_location in BUFFERED.items()},
    "arm": CommitClock,
    "weak": Views,
}


def register_memory_model(name: str, make: Callable[[], MemoryModel]) -> None:
    """Let ``name`` stand for the models that ``make`` makes.

    Raises:
        ValueError: the name stands for another already, or for the axioms.
    """
    if name == AXIOMS or _MODELS.setdefault(name, make) is not make:
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
    why = "is for litmus tests alone" if name == AXIOMS else "is none"
    raise ValueError(f"the memory model {name!r} {why} (there is: {', '.join(_MODELS)})")


__all__ = [
    "ALL",
    "AXIOMS",
    "DRAIN",
    "NOTHING",
    "PART",
    "ELSEWHERE",
    "Cell",
    "Drain",
    "MemoryModel",
    "SequentialConsistency",
    "UnlockingModel",
    "VersionedModel",
    "late_unlock",
    "make_memory_model",
    "memory_model_names",
    "register_memory_model",
]
