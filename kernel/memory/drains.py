"""What memory models deal in: bytes of shared pages, and stores that are not visible yet."""

from collections.abc import Callable
from typing import Any, Final

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
    """A store that its CPU has made and others do not see yet; an entry of what can go next.

    Attributes:
        branch: set by the model; no two of a CPU that may become visible next have the same.
        seen: called with the object when the store has become visible, if it is that of an unlock.
    """

    __slots__ = ("branch", "cpu", "now_ns", "op", "seen", "serial", "task")

    def __init__(self, cpu: int, obj: Any, field: str, value: Any) -> None:
        self.cpu = cpu
        self.op: tuple[str, int, Any] = ("store_buffer.drain", DRAIN, (obj, field, value))
        self.task: Any = None
        self.branch = 0
        self.seen: Callable[[Any], None] | None = None
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

    def commit(self) -> None:
        """Let memory have it."""
        obj, field, value = self.op[2]
        if self.seen is None:
            setattr(obj, field, value)
        else:
            self.seen(obj)

    def __repr__(self) -> str:
        obj, field, value = self.op[2]
        return f"<store of cpu {self.cpu}: {field} = {value!r} of {obj!r}>"


DRAIN: Final = -1  # the kind of a drain: no path stops at one
