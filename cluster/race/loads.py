"""The load table as explorers follow it: CPU by CPU.

As fields of one object, the counts of all CPUs would make every two tasks that go to sleep or wake
up on different CPUs conflict. Here a footprint has, for each CPU by itself, its number of runnable
tasks (``nr 0``), whether it idles (``idle 0``) and whether tasks queue there (``over 0``); a sum
over all of them (``least``, ``overloaded``) is read as what it is made of. Each count changes the
number of one CPU only, and which of the three it writes depends on that number alone, so the
footprint of a count is the same in all orders of a trace.

Where Linux's choice of a CPU falls on the first one it looks at, no other was looked at.

Left out: ``_count()`` looks whether any CPU has a queue to begin or end the periodic balancing,
which is a matter of virtual time.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from cluster.race.watch import READ, WRITE, Watch, _active
from kernel.smp.load import LoadTable

NUMBER: Final = "nr"
IDLE: Final = "idle"
OVER: Final = "over"

# what each sum is made of; the other fields of the table are followed as those of any structure
_MADE_OF: Final = {
    "idle_mask": IDLE, "overloaded": OVER, "least": NUMBER, "most": NUMBER, "_with": NUMBER,
}  # fmt: skip
# the fields themselves, as they are while nobody follows them
_SLOTS: Final = {name: LoadTable.__dict__[name] for name in (*_MADE_OF, "nr_running")}
# whose uses of the sums are told otherwise, or not at all: see the module header
_ASIDE: Final = frozenset(("count", "_count", "least_loaded", "__init__"))
# who takes one CPU if it idles, whatever others do: the local variable that has it
_LOOKS: Final = {"select_idle_sibling": "previous", "find_idlest_cpu": "near"}


class _Numbers(list[int]):
    """``nr_running``: tells which CPU's number is used."""

    __slots__ = ("load",)

    load: LoadTable

    def __getitem__(self, cpu: Any) -> Any:
        watch = _active[0]
        if watch is not None:
            _tell(watch, self.load, NUMBER, cpu, READ)
        return super().__getitem__(cpu)

    def __setitem__(self, cpu: Any, number: Any) -> None:
        watch = _active[0]
        if watch is not None:
            before = super().__getitem__(cpu)
            _tell(watch, self.load, NUMBER, cpu, WRITE)
            if (before == 0) is not (number == 0):
                _tell(watch, self.load, IDLE, cpu, WRITE)
            if (before > 1) is not (number > 1):
                _tell(watch, self.load, OVER, cpu, WRITE)
        super().__setitem__(cpu, number)

    def __iter__(self) -> Iterator[int]:
        watch = _active[0]
        if watch is not None:
            for cpu in range(len(self)):
                _tell(watch, self.load, NUMBER, cpu, READ)
        return super().__iter__()


def _tell(watch: Watch, load: LoadTable, what: str, cpu: int, mode: int) -> None:
    key = (id(load), f"{what} {cpu}")
    watch.names[key[0]] = load
    footprint = watch._acc
    footprint[key] = footprint.get(key, 0) | mode
    if mode & WRITE:
        watch.written[key[0]] = load


def _all(watch: Watch, load: LoadTable, what: str) -> None:
    for cpu in range(list.__len__(load.nr_running)):
        _tell(watch, load, what, cpu, READ)


def _look(watch: Watch, load: LoadTable, mask: int, frame: Any) -> bool:
    """Tell of the one CPU that the function at hand needs to look at; False: it needs all."""
    names = _LOOKS.get(frame.f_code.co_name)
    variables = frame.f_locals if names is not None else {}
    if names is None or variables.get("allowed", 1) != 0:
        return False
    cpu = variables.get(names, -1)
    if cpu < 0 or not mask >> cpu & 1:
        return False
    _tell(watch, load, IDLE, cpu, READ)
    return True


def _sum(field: str, slot: Any) -> property:
    get: Callable[[Any], Any] = slot.__get__
    put: Callable[[Any, Any], None] = slot.__set__
    made_of = _MADE_OF[field]

    def read(self: LoadTable) -> Any:
        value = get(self)
        watch = _active[0]
        if watch is not None:
            frame = sys._getframe(1)
            if frame.f_code.co_name not in _ASIDE and not (
                field == "idle_mask" and _look(watch, self, value, frame)
            ):
                _all(watch, self, made_of)
        return value

    return property(read, put)


def _numbers(slot: Any) -> property:
    put: Callable[[Any, Any], None] = slot.__set__

    def write(self: LoadTable, value: list[int]) -> None:
        numbers = _Numbers(value)
        numbers.load = self
        put(self, numbers)

    return property(slot.__get__, write)


def _least_loaded(self: LoadTable, near: int) -> int:
    """See ``LoadTable.least_loaded``."""
    watch = _active[0]
    if watch is not None:
        if list.__getitem__(self.nr_running, near) == 0:
            _tell(watch, self, IDLE, near, READ)
        else:
            _all(watch, self, NUMBER)
    return _plain_least_loaded(self, near)


_plain_least_loaded: Final = LoadTable.least_loaded


@contextmanager
def by_cpu() -> Iterator[None]:
    """Let load tables tell of their use CPU by CPU, until the block is left.

    Inside ``watch.following()``; tables that were made before tell nothing of numbers.
    """
    before: dict[str, Any] = {}
    try:
        for field in _MADE_OF:
            before[field] = LoadTable.__dict__[field]
            setattr(LoadTable, field, _sum(field, _SLOTS[field]))
        before["nr_running"] = LoadTable.__dict__["nr_running"]
        setattr(LoadTable, "nr_running", _numbers(_SLOTS["nr_running"]))  # noqa: B010
        before["least_loaded"] = _plain_least_loaded
        setattr(LoadTable, "least_loaded", _least_loaded)  # noqa: B010
        yield
    finally:
        for field, was in before.items():
            setattr(LoadTable, field, was)
