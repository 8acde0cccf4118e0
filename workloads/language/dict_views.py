"""``d.keys()``, ``d.values()`` and ``d.items()`` as values: they show the dict as it is now.

A loop walks one by a ``views.DictView``, made when it begins.

Source: CPython Objects/dictobject.c: dictview_richcompare(), dictviews_sub(),
    _PyDictViews_intersect(), dictviews_or(), dictviews_xor(), dictview_repr().
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from workloads.language.sets import GuestSet
from workloads.language.views import VIEWS, View, admitted
from workloads.language.weights import LIVE

_printing: set[int] = set()


class LiveView(View):
    """What the three have in common. ``what`` is as in ``views.DictView``."""

    __slots__ = ("source",)
    what: ClassVar[int]

    def __init__(self, source: dict[Any, Any]) -> None:
        self.source = source

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        return (self.source,)

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        raise TypeError(f"'{type(self).__name__}' object is not subscriptable")

    def __repr__(self) -> str:
        if id(self) in _printing:
            return "..."
        _printing.add(id(self))
        try:
            return f"{type(self).__name__}({list(self)!r})"
        finally:
            _printing.discard(id(self))


class DictValues(LiveView):
    """``d.values()``."""

    __slots__ = ()
    what = 1

    def __iter__(self) -> Iterator[Any]:
        return iter(self.source.values())

    def __contains__(self, value: object) -> bool:
        return value in self.source.values()


class SetLike(LiveView):
    """Views that compare and combine as sets do; what comes out is a set."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, value: object) -> bool:
        raise NotImplementedError

    def _compared(self, other: object, test: Callable[[Any, Any], bool]) -> Any:
        return test(self, other) if isinstance(other, SetLike | GuestSet) else NotImplemented

    def __eq__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: len(a) == len(b) and _all_in(a, b))

    def __ne__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: len(a) != len(b) or not _all_in(a, b))

    def __le__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: len(a) <= len(b) and _all_in(a, b))

    def __lt__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: len(a) < len(b) and _all_in(a, b))

    def __ge__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: len(a) >= len(b) and _all_in(b, a))

    def __gt__(self, other: object) -> Any:
        return self._compared(other, lambda a, b: len(a) > len(b) and _all_in(b, a))

    def __and__(self, other: Any) -> GuestSet:
        return _intersection(self, other)

    def __rand__(self, other: Any) -> GuestSet:
        return _intersection(other, self)

    def __or__(self, other: Any) -> GuestSet:
        return _union(self, other)

    def __ror__(self, other: Any) -> GuestSet:
        return _union(other, self)

    def __sub__(self, other: Any) -> GuestSet:
        return _difference(self, other)

    def __rsub__(self, other: Any) -> GuestSet:
        return _difference(other, self)

    def __xor__(self, other: Any) -> GuestSet:
        return _either(self, other)

    def __rxor__(self, other: Any) -> GuestSet:
        return _either(other, self)

    def isdisjoint(self, other: Any) -> bool:
        """Return whether no element is in both. Source: dictviews_isdisjoint()."""
        if other is self:
            return not self.source
        if isinstance(other, SetLike | GuestSet) and len(other) > len(self):
            return not any(item in other for item in self)
        return not any(item in self for item in other)


class DictKeys(SetLike):
    """``d.keys()``."""

    __slots__ = ()
    what = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.source)

    def __contains__(self, value: object) -> bool:
        return value in self.source


class DictItems(SetLike):
    """``d.items()``."""

    __slots__ = ()
    what = 2

    def __iter__(self) -> Iterator[Any]:
        for key, value in self.source.items():
            yield admitted((key, value), value)

    def __contains__(self, value: object) -> bool:
        if type(value) is not tuple or len(value) != 2 or value[0] not in self.source:
            return False
        found = self.source[value[0]]
        return bool(found is value[1] or found == value[1])


def _all_in(items: Iterable[Any], other: Any) -> bool:
    return all(item in other for item in items)


def _set_of(value: Any) -> GuestSet:
    """Return the set of ``value``; that of a dict's keys is laid out for all of them."""
    new = GuestSet()
    new.update(value.source if type(value) is DictKeys else value)
    return new


def _intersection(a: Any, b: Any) -> GuestSet:
    if type(b) is GuestSet and len(a) <= len(b):
        return b.intersection(a)
    if isinstance(b, SetLike) and isinstance(a, SetLike | GuestSet) and len(b) > len(a):
        a, b = b, a
    return GuestSet(item for item in b if item in a)


def _union(a: Any, b: Any) -> GuestSet:
    new = _set_of(a)
    new.update(b)
    return new


def _difference(a: Any, b: Any) -> GuestSet:
    new = _set_of(a)
    new.difference_update(b)
    return new


def _either(a: Any, b: Any) -> GuestSet:
    new = _set_of(a)
    new.symmetric_difference_update(b)
    return new


LIVE_VIEWS = (DictKeys, DictValues, DictItems)
for _kind, _name in zip(LIVE_VIEWS, ("dict_keys", "dict_values", "dict_items"), strict=True):
    _kind.__name__ = _kind.__qualname__ = _name  # what CPython's messages call it
    LIVE.add(_kind)

#: By number, for contexts on the wire.
ALL_VIEWS = (*VIEWS, *LIVE_VIEWS)
