"""The ways in which an access can be done, as entries of what can go next.

Under a memory model that keeps old versions (``kernel.drive.memory.VersionedModel``) a load may
read one of several stores, and a store may come before others. Which, is a choice like that of who
goes next: beside a path that stands at such an access stand entries for the other ways to do it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from kernel.memory.drains import Drain
from kernel.points import LOAD, LOAD_ACQUIRE, STORE, STORE_RELEASE

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.drive.memory import MemoryModel, VersionedModel

WAYS: Final = 1 << 16  # above all branches that paths have themselves
_ACCESSES: Final[tuple[int, ...]] = (LOAD, LOAD_ACQUIRE, STORE, STORE_RELEASE)


class Way:
    """A path does what it offers in another way; an entry of what can go next.

    ``way``: which, from 1 on; ``branch`` has it, too. All else is as in the path.
    """

    __slots__ = ("branch", "cpu", "now_ns", "op", "path", "serial", "task", "way")

    def __init__(self, path: "ActivePath", way: int) -> None:
        self.path = path
        self.way = way
        self.branch = path.branch + way * WAYS
        self.op: tuple[str, int, Any] = path.op
        self.now_ns = path.now_ns
        self.cpu = path.cpu
        self.serial = path.serial
        self.task = path.task

    def __repr__(self) -> str:
        return f"<way {self.way} of {self.path!r}>"


def versioned(memory: "MemoryModel") -> "VersionedModel | None":
    """Return the model if it keeps old versions."""
    return cast("VersionedModel", memory) if getattr(memory, "versions", False) else None


def with_ways(
    entries: "Iterable[ActivePath | Drain]", memory: "VersionedModel"
) -> "list[ActivePath | Drain | Way]":
    """Return the entries, behind each path the other ways of what it offers."""
    found: list[ActivePath | Drain | Way] = []
    for entry in entries:
        found.append(entry)
        if not isinstance(entry, Drain) and entry.op[1] in _ACCESSES:
            ways = memory.ways(entry.cpu, entry.op[1], entry.op[2])
            found += [Way(entry, way) for way in range(1, ways)]
    return found
