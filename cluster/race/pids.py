"""The hash of pids as explorers follow it: number by number.

As one field, a number that goes out of it would conflict with each system call that begins, for
the kernel finds the caller there. Here a footprint has what was asked for, ``hash 4``; who goes
through all of it reads ``hash`` itself, which is changed by whoever puts a number in or takes one
out. Two changes of different numbers may change places: their order shows in no number.

Data races on the hash are looked for without this (``cluster.race.watch``).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from cluster.race.dpor import PUT
from cluster.race.watch import READ, WRITE, _active
from kernel.process.pid import PidMap

_FIELD: Final = "hash"
_SLOT: Final = PidMap.__dict__[_FIELD]  # as it is while nobody follows it


class _Hash(dict[int, Any]):
    """``PidMap.hash``: tells which number's entry is used."""

    __slots__ = ("pids",)

    pids: PidMap

    def get(self, number: Any, default: Any = None) -> Any:
        self._tell(f"{_FIELD} {number}", READ)
        return super().get(number, default)

    def __getitem__(self, number: int) -> Any:
        self._tell(f"{_FIELD} {number}", READ)
        return super().__getitem__(number)

    def __contains__(self, number: object) -> bool:
        self._tell(f"{_FIELD} {number}", READ)
        return super().__contains__(number)

    def __setitem__(self, number: int, pid: Any) -> None:
        self._changes(number)
        super().__setitem__(number, pid)

    def __delitem__(self, number: int) -> None:
        self._changes(number)
        super().__delitem__(number)

    def pop(self, number: int, *default: Any) -> Any:
        self._changes(number)
        return super().pop(number, *default)

    def __iter__(self) -> Iterator[int]:
        self._tell(_FIELD, READ)
        return super().__iter__()

    def __len__(self) -> int:
        self._tell(_FIELD, READ)
        return super().__len__()

    def keys(self) -> Any:
        self._tell(_FIELD, READ)
        return super().keys()

    def values(self) -> Any:
        self._tell(_FIELD, READ)
        return super().values()

    def items(self) -> Any:
        self._tell(_FIELD, READ)
        return super().items()

    def _changes(self, number: int) -> None:
        self._tell(f"{_FIELD} {number}", WRITE)
        self._tell(_FIELD, PUT)

    def _tell(self, what: str, mode: int) -> None:
        watch = _active[0]
        if watch is None:
            return
        key = (id(self.pids), what)
        watch.names[key[0]] = self.pids
        watch._acc[key] = watch._acc.get(key, 0) | mode
        if mode != READ:
            watch.written[key[0]] = self.pids


def _hash(slot: Any) -> property:
    put: Callable[[Any, Any], None] = slot.__set__

    def write(self: PidMap, value: dict[int, Any]) -> None:
        entries = _Hash(value)
        entries.pids = self
        put(self, entries)

    return property(slot.__get__, write)


@contextmanager
def by_number() -> Iterator[None]:
    """Let hashes of pids tell of their use number by number, until the block is left.

    Inside ``watch.following()``; maps that were made before tell nothing of it.
    """
    before = PidMap.__dict__[_FIELD]
    try:
        setattr(PidMap, _FIELD, _hash(_SLOT))
        yield
    finally:
        setattr(PidMap, _FIELD, before)
