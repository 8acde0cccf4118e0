"""What ``for`` walks when it is not a plain sequence: dict views, enumerate, zip, reversed.

A loop keeps its source and an index in two variables of its frame, so its position is plain data.
A view gives any such source the same two operations, ``len(view)`` and ``view[i]``, asked for with
i = 0, 1, 2, …; it has no state of its own and is copied with the frame.
"""

from typing import Any, Final

from workloads.language.weights import admit

#: Parts of a tuple out of a view, those of the tuples in it included.
_MOST: Final = 1_000_000


def admitted(value: tuple[Any, ...], part: Any) -> tuple[Any, ...]:
    """Return a tuple that a view has made; one that holds tuples is weighed."""
    if part.__class__ is tuple and tuple in set(map(type, part)):
        admit(value, _MOST)
    return value


class View:
    """Base of the views: immutable, made of ``parts()``."""

    __slots__ = ()

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError


class DictView(View):
    """Keys (what=0), values (1) or items (2) of a dict, in its order.

    Deviation: the keys are those at the start of the loop; CPython, too, refuses a dict that
    grew or shrank, but one whose key was replaced by another goes on with the old key here.
    """

    __slots__ = ("keys", "source", "what")

    def __init__(self, source: dict[Any, Any], keys: tuple[Any, ...], what: int) -> None:
        self.source = source
        self.keys = keys
        self.what = what

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        return self.source, self.keys, self.what

    def __len__(self) -> int:
        if len(self.source) != len(self.keys):
            raise RuntimeError("dictionary changed size during iteration")
        return len(self.keys)

    def __getitem__(self, index: int) -> Any:
        key = self.keys[index]
        if self.what == 0:
            return key
        if key not in self.source:
            raise RuntimeError("dictionary keys changed during iteration")
        value = self.source[key]
        return value if self.what == 1 else admitted((key, value), value)


class SetView(View):
    """The elements of a set, in the order they had at the start of the loop."""

    __slots__ = ("items", "source")

    def __init__(self, source: Any, items: tuple[Any, ...]) -> None:
        self.source = source
        self.items = items

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        return self.source, self.items

    def __len__(self) -> int:
        if len(self.source) != len(self.items):
            raise RuntimeError("Set changed size during iteration")
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


class EnumerateView(View):
    """``enumerate(source, start)``."""

    __slots__ = ("source", "start")

    def __init__(self, source: Any, start: int) -> None:
        self.source = source
        self.start = start

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        return self.source, self.start

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[int, Any]:
        value = self.source[index]
        return admitted((index + self.start, value), value)


class ZipView(View):
    """``zip(*sources)``."""

    __slots__ = ("sources",)

    def __init__(self, *sources: Any) -> None:
        self.sources = sources

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        return self.sources

    def __len__(self) -> int:
        return min([len(source) for source in self.sources], default=0)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        value = tuple([source[index] for source in self.sources])
        return admitted(value, value) if tuple in set(map(type, value)) else value


class StrictZipView(ZipView):
    """``zip(*sources, strict=True)``: one item more, which raises, where the lengths differ.

    Source: CPython Python/bltinmodule.c:zip_next().
    """

    __slots__ = ()

    def __len__(self) -> int:
        lengths = [len(source) for source in self.sources]
        return min(lengths, default=0) + (len(set(lengths)) > 1)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        first = index < len(self.sources[0])
        for place, source in enumerate(self.sources):
            there = index < len(source)
            if there != first:
                others = "argument 1" if place == 1 else f"arguments 1-{place}"
                what = "longer" if there else "shorter"
                raise ValueError(f"zip() argument {place + 1} is {what} than {others}")
        return super().__getitem__(index)


class ReversedView(View):
    """``reversed(source)``; the length is taken once, as CPython's iterator does."""

    __slots__ = ("last", "source")

    def __init__(self, source: Any, last: int) -> None:
        self.source = source
        self.last = last

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        return self.source, self.last

    def __len__(self) -> int:
        return self.last + 1

    def __getitem__(self, index: int) -> Any:
        if index > self.last:
            raise IndexError(index)
        return self.source[self.last - index]


class Pull(View):
    """What a loop over an iterator walks: the items that it has given so far, but for the last.

    It is as long as what has been pulled; a loop that comes to its end pulls the next item, unless
    it is ``done``. Mutable: ``_pulled`` puts the item in.
    """

    __slots__ = ("count", "done", "item", "source")

    def __init__(self, source: Any, count: int = 0, done: bool = False, item: Any = None) -> None:
        self.source = source
        self.count = count
        self.done = done
        self.item = item

    def parts(self) -> tuple[Any, ...]:
        """Return the arguments that make an equal view."""
        return self.source, self.count, self.done, self.item

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.item


VIEWS = (DictView, EnumerateView, ZipView, ReversedView, SetView, Pull, StrictZipView)
