"""The set of the guest language: CPython's, but in an order that is the same on every host.

CPython keeps a set in a hash table and walks it by slot. Where every element has a hash that is a
function of its value (int, bool, float, tuples of them), that order is the same everywhere, and
programs show it: ``Layout`` is CPython's table, so such a set is walked and popped as there. The
hashes of str, bytes and None, of NaN and of objects are addresses or random numbers of one host
process; a set that holds one of them is walked in the order of insertion (``stable`` is False).

The table is made when it is first needed: as long as elements were only added one by one, it
follows from the order in which they came.

Source: CPython 3.11 Objects/setobject.c.
Deviation: a set of str, bytes, None or objects is in insertion order; CPython's order of it differs
from one start of a program to the next.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from workloads.language.enums import ENUMS

_LINEAR_PROBES: Final = 9
_PERTURB_SHIFT: Final = 5
_WORD: Final = (1 << 64) - 1
_LARGE: Final = 50_000  # a table of more elements grows by two, not by four
_POPS: Final = 256  # deleted entries at the front of a dict before it is made anew
_NUMBERS: Final = frozenset({int, bool, *ENUMS})

#: The two kinds of slots without an element.
EMPTY: Final = type("_Empty", (), {"__slots__": ()})()
DUMMY: Final = type("_Dummy", (), {"__slots__": ()})()


def has_stable_hash(value: Any) -> bool:
    """Return whether the hash of ``value`` is the same in every CPython process."""
    kind = type(value)
    if kind in _NUMBERS:
        return True
    if kind is float:
        return bool(value == value)
    if kind is not tuple:
        return False
    stack = [iter(value)]
    while stack:
        for item in stack[-1]:
            kind = type(item)
            if kind is tuple:
                stack.append(iter(item))
                break
            if kind not in _NUMBERS and (kind is not float or item != item):
                return False
        else:
            stack.pop()
    return True


class Layout:
    """The table of one set: which slot holds which element.

    Attributes:
        table: an element, EMPTY or DUMMY (something was removed) per slot; a power of two.
        fill: slots that are not EMPTY.
        used: elements.
        finger: where ``pop`` looks next.
    """

    __slots__ = ("fill", "finger", "table", "used")

    def __init__(self) -> None:
        self.table: list[Any] = [EMPTY] * 8
        self.fill = 0
        self.used = 0
        self.finger = 0

    def elements(self) -> list[Any]:
        """Return the elements in the order of their slots."""
        return [key for key in self.table if key is not EMPTY and key is not DUMMY]

    def clone(self) -> "Layout":
        """Return an equal table."""
        new = Layout.__new__(Layout)
        new.table = self.table[:]
        new.fill, new.used, new.finger = self.fill, self.used, self.finger
        return new

    def add(self, key: Any) -> None:
        """Add an element that is not there. Source: set_add_entry(), which uses dummies again."""
        again = self._insert(key, DUMMY if self.fill > self.used else None)
        self.used += 1
        if again:
            return
        self.fill += 1
        if self.fill * 5 >= (len(self.table) - 1) * 3:
            self._resize(self.used * 2 if self.used > _LARGE else self.used * 4)

    def _insert(self, key: Any, free: Any = None) -> bool:
        """Put an element in its slot, or in the last one on the way to it that holds ``free``.

        Returns:
            It is in one that held ``free``.
        """
        table, mask = self.table, len(self.table) - 1
        number = hash(key)
        perturb = number & _WORD
        i = number & mask
        if table[i] is EMPTY:
            table[i] = key
            return False
        freed = -1
        while True:
            for entry in range(i, i + _LINEAR_PROBES + 1 if i + _LINEAR_PROBES <= mask else i + 1):
                held = table[entry]
                if held is EMPTY:
                    table[entry if freed < 0 else freed] = key
                    return freed >= 0
                if held is free:
                    freed = entry
            perturb >>= _PERTURB_SHIFT
            i = (i * 5 + 1 + perturb) & mask

    def _find(self, key: Any) -> int:
        table, mask = self.table, len(self.table) - 1
        number = hash(key)
        i = number & mask
        if table[i] is key:
            return i
        perturb = number & _WORD
        while True:
            for entry in range(i, i + _LINEAR_PROBES + 1 if i + _LINEAR_PROBES <= mask else i + 1):
                if table[entry] is key or table[entry] == key:
                    return entry
            perturb >>= _PERTURB_SHIFT
            i = (i * 5 + 1 + perturb) & mask

    def _resize(self, least: int) -> None:
        """Source: set_table_resize()."""
        kept = self.elements()
        size = 8
        while size <= least:
            size *= 2
        self.table = [EMPTY] * size
        self.fill = self.used
        for key in kept:
            self._insert(key)

    def discard(self, key: Any) -> None:
        """Remove an element that is there."""
        self.table[self._find(key)] = DUMMY
        self.used -= 1

    def pop(self) -> Any:
        """Remove and return an element. Source: set_pop()."""
        table = self.table
        entry = self.finger & (len(table) - 1)
        while table[entry] is EMPTY or table[entry] is DUMMY:
            entry = (entry + 1) & (len(table) - 1)
        key = table[entry]
        table[entry] = DUMMY
        self.used -= 1
        self.finger = entry + 1
        return key

    def presize(self, more: int) -> None:
        """Make room for ``more`` elements. Source: set_update_internal(), set_merge()."""
        if (self.fill + more) * 5 >= (len(self.table) - 1) * 3:
            self._resize((self.used + more) * 2)

    def merge(self, other: "Layout", absent: Callable[[Any], bool]) -> None:
        """Add the elements of another set's table. Source: set_merge()."""
        if other.used == 0:
            return
        self.presize(other.used)
        if self.fill:
            for key in other.elements():
                if absent(key):
                    self.add(key)
        elif len(self.table) == len(other.table) and other.fill == other.used:
            self.table = other.table[:]
            self.fill = self.used = other.used
        else:
            self.fill = self.used = other.used
            for key in other.elements():
                self._insert(key)

    def sweep(self) -> None:
        """Drop the dummies if there are many. Source: set_difference_update_internal()."""
        if self.fill - self.used > (len(self.table) - 1) // 4:
            self._resize(self.used * 2 if self.used > _LARGE else self.used * 4)


class GuestSet:
    """A set of a guest program.

    Attributes:
        members: the elements as keys, in the order of insertion.
        stable: the order is CPython's; False: that of insertion.
        layout: CPython's table, or None: what adding ``members`` one by one makes.
    """

    __slots__ = ("layout", "members", "pops", "stable")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.members: dict[Any, Any] = items if type(items) is dict else dict.fromkeys(items)
        self.stable = True
        self.layout: Layout | None = None
        self.pops = 0
        for item in self.members:
            if type(item) not in _NUMBERS and not has_stable_hash(item):
                self.stable = False
                break

    def clone(self) -> "GuestSet":
        """Return an equal set of the very same elements."""
        new = GuestSet.__new__(GuestSet)
        new.members = self.members.copy()
        new.stable = self.stable
        layout = self.layout
        new.layout = None if layout is None else layout.clone()
        new.pops = 0
        return new

    # ---- order ----------------------------------------------------------------------------

    def table(self) -> Layout:
        """Return the table of a stable set."""
        layout = self.layout
        if layout is None:
            layout = self.layout = Layout()
            for key in self.members:
                layout.add(key)
        return layout

    def ordered(self) -> Iterable[Any]:
        """Return the elements in the order a program sees."""
        if not self.stable or len(self.members) < 2:
            return self.members
        return self.table().elements()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.ordered())

    def __len__(self) -> int:
        return len(self.members)

    def __contains__(self, value: Any) -> bool:
        return type(value) is not GuestSet and value in self.members

    def __repr__(self) -> str:
        if not self.members:
            return "set()"
        return "{" + ", ".join([repr(item) for item in self.ordered()]) + "}"

    # ---- one element ----------------------------------------------------------------------

    def add(self, key: Any) -> None:
        """Add an element."""
        if type(key) is int:
            if self.layout is not None and key not in self.members:
                self.layout.add(key)
        elif self.layout is not None and key not in self.members and self._is_stable(key):
            self.layout.add(key)
        elif self.stable and type(key) not in _NUMBERS:
            self._is_stable(key)
        self.members.setdefault(key, ...)

    def _is_stable(self, key: Any) -> bool:
        """Return whether the set is in CPython's order with ``key`` in it, too."""
        if self.stable and not has_stable_hash(key):
            hash(key)  # a TypeError changes nothing
            self.members = dict.fromkeys(self.ordered(), ...)
            self.stable = False
            self.layout = None
        return self.stable

    def discard(self, key: Any) -> None:
        """Remove an element if it is there."""
        if type(key) is not GuestSet and key in self.members:
            self._take(key)

    def remove(self, key: Any) -> None:
        """Remove an element that must be there."""
        if type(key) is GuestSet or key not in self.members:
            raise KeyError(key)
        self._take(key)

    def _take(self, key: Any) -> None:
        if self.stable:
            self.table().discard(key)
        del self.members[key]

    def pop(self) -> Any:
        """Remove and return an element."""
        if not self.members:
            raise KeyError("pop from an empty set")
        if self.stable:
            key = self.table().pop()
            del self.members[key]
            return key
        key = next(iter(self.members))
        del self.members[key]
        self.pops += 1
        if self.pops == _POPS:  # the next search would walk over what was deleted
            self.members = dict(self.members)
            self.pops = 0
        return key

    def clear(self) -> None:
        """Remove all elements."""
        self.members = {}
        finger = 0 if self.layout is None else self.layout.finger
        self.stable, self.layout, self.pops = True, None, 0
        if finger:
            self.layout = Layout()
            self.layout.finger = finger

    # ---- several sets -----------------------------------------------------------------------

    def copy(self) -> "GuestSet":
        """Return a set of the same elements. Source: set_copy(), which makes a new table."""
        new = GuestSet()
        new._merge(self)
        return new

    def _merge(self, other: "GuestSet") -> None:
        if other is self or not other.members:
            return
        if self.stable and other.stable:
            if len(other.members) > 1 or self.members or self.layout is not None:
                members = self.members
                self.table().merge(other.table(), lambda key: key not in members)
        elif self.stable:
            self.members = dict.fromkeys(self.ordered(), ...)
            self.stable, self.layout = False, None
        for key in other.members:
            self.members.setdefault(key, ...)

    def update(self, *others: Any) -> None:
        """Add the elements of sets, dicts or other iterables. Source: set_update_internal()."""
        for other in others:
            if type(other) is GuestSet:
                self._merge(other)
                continue
            if type(other) is dict and self.stable:
                self.table().presize(len(other))
            for key in other:
                self.add(key)

    def union(self, *others: Any) -> "GuestSet":
        """Return ``self | other | …``."""
        new = self.copy()
        for other in others:
            if other is not self:
                new.update(other)
        return new

    def intersection(self, *others: Any) -> "GuestSet":
        """Return ``self & other & …``. Source: set_intersection()."""
        if not others:
            return self.copy()
        result = self._common(others[0])
        for other in others[1:]:
            result = result._common(other)
        return result

    def _common(self, other: Any) -> "GuestSet":
        if type(other) is not GuestSet:
            return GuestSet(key for key in other if key in self.members)
        if other is self:
            return self.copy()
        if not self.stable or not other.stable:
            return _unordered(key for key in self.members if key in other.members)
        small, large = (self, other) if len(other) > len(self) else (other, self)
        return GuestSet(key for key in small.ordered() if key in large.members)

    def difference(self, *others: Any) -> "GuestSet":
        """Return ``self - other - …``. Source: set_difference()."""
        if not others:
            return self.copy()
        result = self._without(others[0])
        for other in others[1:]:
            result.difference_update(other)
        return result

    def _without(self, other: Any) -> "GuestSet":
        if type(other) is not GuestSet and type(other) is not dict:
            new = self.copy()
            new.difference_update(other)
            return new
        members = other.members if type(other) is GuestSet else other
        if not self.stable:
            return _unordered(key for key in self.members if key not in members)
        if len(self) >> 2 > len(other):
            new = self.copy()
            new.difference_update(other)
            return new
        return GuestSet(key for key in self.ordered() if key not in members)

    def difference_update(self, *others: Any) -> None:
        """Do ``self -= other``. Source: set_difference_update_internal()."""
        for other in others:
            if other is self:
                self.clear()
                continue
            if type(other) is GuestSet:
                if len(other) >> 3 > len(self):
                    other = self._common(other)
                other = other.members  # the order of removal is not seen
            for key in list(other):
                self.discard(key)
            if self.stable and self.layout is not None:
                self.layout.sweep()

    def symmetric_difference(self, other: Any) -> "GuestSet":
        """Return ``self ^ other``. Source: set_symmetric_difference()."""
        new = other.copy() if type(other) is GuestSet else GuestSet(other)
        if type(other) is dict:
            new = GuestSet()
            new.update(other)
        new.symmetric_difference_update(self)
        return new

    def symmetric_difference_update(self, other: Any) -> None:
        """Do ``self ^= other``."""
        if other is self:
            self.clear()
            return
        for key in list(other if type(other) is GuestSet else GuestSet(other)):
            if key in self.members:
                self._take(key)
            else:
                self.add(key)

    def intersection_update(self, *others: Any) -> None:
        """Do ``self &= other``."""
        new = self.intersection(*others)
        finger = 0 if self.layout is None else self.layout.finger
        self.members, self.stable, self.layout = new.members, new.stable, new.layout
        self.pops = 0
        if finger and self.stable:
            self.table().finger = finger

    def isdisjoint(self, other: Any) -> bool:
        """Return whether no element is in both."""
        members = self.members
        return not any(key in members for key in _keys(other))

    def issubset(self, other: Any) -> bool:
        """Return ``self <= other``."""
        keys = _keys(other)
        if type(keys) is not dict:
            keys = dict.fromkeys(keys)
        return len(self.members) <= len(keys) and all(key in keys for key in self.members)

    def issuperset(self, other: Any) -> bool:
        """Return ``self >= other``."""
        members = self.members
        return all(key in members for key in _keys(other))

    # ---- operators --------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if type(other) is not GuestSet:
            return NotImplemented
        return self.members.keys() == other.members.keys()

    def __le__(self, other: Any) -> bool:
        return self.issubset(other) if type(other) is GuestSet else NotImplemented

    def __lt__(self, other: Any) -> bool:
        if type(other) is not GuestSet:
            return NotImplemented
        return len(self) < len(other) and self.issubset(other)

    def __ge__(self, other: Any) -> bool:
        return self.issuperset(other) if type(other) is GuestSet else NotImplemented

    def __gt__(self, other: Any) -> bool:
        if type(other) is not GuestSet:
            return NotImplemented
        return len(self) > len(other) and self.issuperset(other)

    def __or__(self, other: Any) -> Any:
        return self.union(other) if type(other) is GuestSet else NotImplemented

    def __and__(self, other: Any) -> Any:
        return self._common(other) if type(other) is GuestSet else NotImplemented

    def __sub__(self, other: Any) -> Any:
        return self._without(other) if type(other) is GuestSet else NotImplemented

    def __xor__(self, other: Any) -> Any:
        return self.symmetric_difference(other) if type(other) is GuestSet else NotImplemented

    def __ior__(self, other: Any) -> Any:
        return self._in_place(GuestSet.update, other)

    def __iand__(self, other: Any) -> Any:
        return self._in_place(GuestSet.intersection_update, other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place(GuestSet.difference_update, other)

    def __ixor__(self, other: Any) -> Any:
        return self._in_place(GuestSet.symmetric_difference_update, other)

    def _in_place(self, change: Callable[..., None], other: Any) -> Any:
        if type(other) is not GuestSet:
            return NotImplemented
        change(self, other)
        return self


GuestSet.__name__ = GuestSet.__qualname__ = "set"  # what CPython's messages call it


def _keys(other: Any) -> Any:
    return other.members if type(other) is GuestSet else other


def _unordered(items: Iterable[Any]) -> GuestSet:
    """Return a set whose order CPython does not define, whatever is in it."""
    new = GuestSet(items)
    new.stable = False
    return new


def constant(members: dict[Any, Any]) -> GuestSet:
    """Return the frozenset that CPython's compiler makes of constants.

    Source: Python/compile.c:merge_consts_recursive(), which makes it anew from its own elements.
    """
    return GuestSet(list(GuestSet(members)))
