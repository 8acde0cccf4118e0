"""``tso`` and ``pso``: each CPU has a buffer of its stores.

Source: see ``kernel.memory.rules``.
Deviation: what of a load is in a waiting store and what is not comes from memory together: the
load waits for that store, as on x86, and under ``pso`` as well. To give up a spinning lock is a
store like any other, as on x86; if no store waits before it, it is seen at once, for then it can be
told from one that is late by nobody. Other locks are given up by a locked instruction.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kernel.memory.drains import ALL, NOTHING, PART, Cell, Drain
from kernel.memory.rules import (
    FULL_BARRIER,
    LOAD_BARRIER,
    STORE_BARRIER,
    drainable,
    epoch_behind,
    must_be_empty,
)
from kernel.points import BARRIER, READ_BARRIER, STORE_RELEASE, WRITE_BARRIER

_BARRIERS = {READ_BARRIER: LOAD_BARRIER, WRITE_BARRIER: STORE_BARRIER}


class Buffered(Drain):
    """A store in a buffer, of an epoch."""

    __slots__ = ("epoch",)

    def __init__(self, cpu: int, obj: Any, field: str, value: Any, epoch: int) -> None:
        super().__init__(cpu, obj, field, value)
        self.epoch = epoch


class StoreBuffers:
    """The model. Its methods are those of ``kernel.drive.memory.MemoryModel``.

    Args:
        by_location: stores to different bytes may change places (``pso``).
    """

    __slots__ = ("_by_location", "_cpus", "_epochs", "_places", "_waiting")

    buffers = True

    def __init__(self, by_location: bool) -> None:
        self._by_location = by_location
        self._waiting: dict[int, list[Buffered]] = {}
        self._epochs: dict[int, int] = {}
        self._cpus: list[int] = []  # those of _waiting, in their order
        # cpu -> where it has stored -> its number there, and what keeps the key from coming again
        self._places: dict[int, dict[Any, tuple[int, Any]]] = {}

    def load(self, cpu: int, obj: Any, field: str, kind: int) -> Any:
        """Return what the newest of the CPU's waiting stores puts there, or what memory holds."""
        waiting = self._waiting.get(cpu)
        if waiting:
            for entry in reversed(waiting):
                reach = entry.reach(obj, field)
                if reach == ALL:
                    return entry.value_in(obj)
                if reach == PART:
                    self._empty(cpu)
                    break
        return getattr(obj, field)

    def store(self, cpu: int, obj: Any, field: str, value: Any, kind: int) -> Drain:
        """Put the store behind the others."""
        if kind == STORE_RELEASE:
            self._behind(cpu, STORE_BARRIER)
        entry = Buffered(cpu, obj, field, value, self._epochs.get(cpu, 0))
        self._put(entry)
        return entry

    def unlock(self, cpu: int, lock: Any, kind: int, seen: Callable[[Any], None]) -> Drain | None:
        """Put the release of a spinning lock behind the stores that wait; None if there are none.

        Args:
            kind: STORE_RELEASE, or STORE if it is to order nothing.
            seen: frees the lock.
        """
        if not self._waiting.get(cpu):
            return None
        if kind == STORE_RELEASE:
            self._behind(cpu, STORE_BARRIER)
        entry = Buffered(cpu, lock, "owner", None, self._epochs.get(cpu, 0))
        entry.seen = seen
        self._put(entry)
        return entry

    def _put(self, entry: Buffered) -> None:
        cpu, (obj, field, _value) = entry.cpu, entry.op[2]
        waiting = self._waiting.get(cpu)
        if waiting is None:
            waiting = self._waiting[cpu] = []
            self._cpus = sorted(self._waiting)
        waiting.append(entry)
        if self._by_location:
            places = self._places.setdefault(cpu, {})
            entry.branch = places.setdefault(_place_of(obj, field), (len(places), obj))[0]

    def update(self, cpu: int, obj: Any, field: str) -> Any:
        """Return the field once the buffer is empty."""
        self.barrier(cpu, BARRIER)
        return getattr(obj, field)

    def barrier(self, cpu: int, kind: int) -> None:
        """Half a barrier is one; all else that orders memory empties the buffer."""
        barrier = _BARRIERS.get(kind, FULL_BARRIER)
        if must_be_empty(barrier):
            self._empty(cpu)
        else:
            self._behind(cpu, barrier)

    def drains(self) -> Sequence[Drain]:
        """Return what of each buffer may become visible next."""
        return [
            waiting[at]
            for cpu in self._cpus
            if (waiting := self._waiting[cpu])
            for at in drainable(waiting, self._by_location, _epoch, _overlap)
        ]

    def drain(self, entry: Drain) -> None:
        """Let memory have the store."""
        waiting = self._waiting[entry.cpu]
        for at, one in enumerate(waiting):
            if one is entry:
                del waiting[at]
                break
        entry.commit()

    def _behind(self, cpu: int, barrier: int) -> None:
        waiting = self._waiting.get(cpu)
        last = waiting[-1].epoch if waiting else None
        self._epochs[cpu] = epoch_behind(last, self._epochs.get(cpu, 0), barrier)

    def _empty(self, cpu: int) -> None:
        waiting = self._waiting.get(cpu)
        while waiting:
            self.drain(waiting[0])


def _place_of(obj: Any, field: str) -> tuple[int, object]:
    """Return what is stored to, comparable as long as it is there."""
    if isinstance(obj, Cell):
        return id(obj.page), (obj.start, obj.length)
    return id(obj), field


def _epoch(entry: Buffered) -> int:
    return entry.epoch


def _overlap(one: Buffered, other: Buffered) -> bool:
    obj, field, _value = other.op[2]
    return one.reach(obj, field) != NOTHING
