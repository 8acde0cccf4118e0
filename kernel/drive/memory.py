"""What a CPU reads and when others see what it wrote: memory models, one object each.

At granularity ``step`` the driver has every LOAD, STORE, UPDATE and barrier of a path done by the
machine's model. Only those are subject to it: a plain statement of a path is an access to memory
itself, as if a lock or a barrier stood before it.

What is read and written is a field of an object: of a structure of the kernel, or the ``data`` of a
``Cell``, bytes of a page that guest programs share. Two cells may be of the same bytes, or have
some in common: ``Drain.reach`` tells, and models ask it instead of comparing objects.

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

NOTHING: Final = 0  # how much of what is read a store is to: see Drain.reach
PART: Final = 1
ALL: Final = 2


class Cell:
    """Bytes of a page of memory that guest programs share, as the target of one access.

    The page is meant, not the place where it is mapped: what happens to the mapping between the
    offer of an access and the access comes after it, as on a processor that is told by an
    interrupt to forget a translation.

    Args:
        page: what the page holds.
        frame: its number, for reports.
        start: of the first byte in the page; ``length``: how many they are.
    """

    __slots__ = ("frame", "length", "page", "start")

    def __init__(self, page: bytearray, frame: int, start: int, length: int) -> None:
        self.page = page
        self.frame = frame
        self.start = start
        self.length = length

    @property
    def data(self) -> bytes:
        """What memory holds there."""
        return bytes(self.page[self.start : self.start + self.length])

    @data.setter
    def data(self, data: bytes) -> None:
        self.page[self.start : self.start + self.length] = data

    def __repr__(self) -> str:
        return f"<bytes {self.start}..{self.start + self.length - 1} of frame {self.frame}>"


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

    def reach(self, obj: Any, field: str) -> int:
        """Return how much of ``field`` of ``obj`` this store is to: NOTHING, PART or ALL.

        Who reads what a store waits for takes ``value_in`` of the newest one that reaches it, if
        that is to ALL of it; if it is to a PART, both must be in memory first.
        """
        mine, my_field, _value = self.op[2]
        if mine is obj:
            return ALL if my_field == field else NOTHING
        if not isinstance(mine, Cell) or not isinstance(obj, Cell) or mine.page is not obj.page:
            return NOTHING
        end, my_end = obj.start + obj.length, mine.start + mine.length
        if mine.start <= obj.start and end <= my_end:
            return ALL
        return PART if mine.start < end and obj.start < my_end else NOTHING

    def value_in(self, obj: Any) -> Any:
        """Return what this store, which is to ALL of what is read in ``obj``, puts there."""
        mine, _field, value = self.op[2]
        if mine is obj or not isinstance(obj, Cell):
            return value
        start = obj.start - mine.start
        return value[start : start + obj.length]

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


LATER: Final[tuple[str, ...]] = ("tso", "pso", "arm", "weak")

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
