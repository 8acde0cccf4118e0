"""Places in memory that CPUs may see different versions of, for models that keep old ones.

A place is a field of a structure, or bytes of a page that guest programs share. It is one place as
long as it is accessed in one way: an access to other bytes that it has some in common with makes
everybody see what memory holds.

Deviation: a place keeps a few versions only, and only some places have old ones; whoever could
still have seen an older version sees the oldest that is kept.
"""

from typing import Any, Final, Generic, TypeVar

from kernel.memory.drains import Cell

MOST_VERSIONS: Final = 8  # of one place
MOST_PLACES: Final = 64

_V = TypeVar("_V")


class Place(Generic[_V]):
    """One place.

    Attributes:
        obj, field: where memory has it.
        versions: what it has held, in the order of memory; the last is what it holds.
        number: how many were made before it.
        held: what memory held when the model looked last.
    """

    __slots__ = ("field", "held", "key", "number", "obj", "versions")

    def __init__(self, key: tuple[int, Any, int], number: int, obj: Any, field: str) -> None:
        self.key = key
        self.number = number
        self.obj = obj
        self.field = field
        self.held: Any = getattr(obj, field)
        self.versions: list[_V] = []

    def put(self, value: Any) -> None:
        """Let memory hold ``value``."""
        setattr(self.obj, self.field, value)
        self.held = value

    def __repr__(self) -> str:
        return f"<{self.field} of {self.obj!r}: {len(self.versions)} versions>"


class Places(Generic[_V]):
    """All places of a machine that have old versions, the one that was used last at the end."""

    __slots__ = ("_by_key", "_by_page", "_made")

    def __init__(self) -> None:
        self._made = 0
        self._by_key: dict[tuple[int, Any, int], Place[_V]] = {}
        self._by_page: dict[int, list[Place[_V]]] = {}

    def find(self, obj: Any, field: str) -> Place[_V] | None:
        """Return the place, if it is known; it is then, and has no part in common with others."""
        place = self._by_key.get(_key(obj, field))
        if isinstance(obj, Cell) and self._by_page.get(id(obj.page)):
            self._part(obj, place)
        return place

    def make(self, obj: Any, field: str) -> Place[_V]:
        """Return a new place; there must be none yet."""
        by_key = self._by_key
        if len(by_key) >= MOST_PLACES:
            self.drop(next(iter(by_key.values())))
        place: Place[_V] = Place(_key(obj, field), self._made, obj, field)
        self._made += 1
        by_key[place.key] = place
        if isinstance(obj, Cell):
            self._by_page.setdefault(id(obj.page), []).append(place)
        return place

    def use(self, place: Place[_V]) -> None:
        """Note that somebody has written there: it is not the next to be dropped."""
        del self._by_key[place.key]
        self._by_key[place.key] = place

    def drop(self, place: Place[_V]) -> None:
        """From here on everybody sees what memory holds there."""
        place.versions.clear()
        del self._by_key[place.key]
        if isinstance(place.obj, Cell):
            page = id(place.obj.page)
            self._by_page[page].remove(place)
            if not self._by_page[page]:
                del self._by_page[page]

    def all(self) -> list[Place[_V]]:
        """Return every place that is known."""
        return list(self._by_key.values())

    def changed(self) -> list[Place[_V]]:
        """Return where memory holds something else than when the model looked last."""
        return [
            place
            for place in self._by_key.values()
            if getattr(place.obj, place.field) != place.held
        ]

    def _part(self, cell: Cell, place: Place[_V] | None) -> None:
        end = cell.start + cell.length
        for other in list(self._by_page.get(id(cell.page), ())):
            if other is place:
                continue
            start = other.obj.start
            if start < end and cell.start < start + other.obj.length:
                self.drop(other)


def _key(obj: Any, field: str) -> tuple[int, Any, int]:
    if isinstance(obj, Cell):
        return id(obj.page), obj.start, obj.length
    return id(obj), field, 0
