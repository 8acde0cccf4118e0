"""The axes of an experiment: values of keys, and which of them go together.

The values of an axis are a list of scalars, a mapping from names, or a *range*, which is text::

    1..8              1, 2, 3, … 8
    0..100 step 20    0, 20, 40, … 100
    1..64 times 2     1, 2, 4, … 64
    10us..1000us times 10

Both ends belong to a range, as far as the steps meet the last. Axes are crossed with each other,
but for those that ``paired`` names together: these have as many values each, and go from one to the
next at once; a value may then be there more than once.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Final

from cluster.config.errors import KeyPath, Problem, got
from cluster.config.source import Document

MAX_POINTS: Final = 10_000
_KEY: Final = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*\Z", re.ASCII)
_LABEL: Final = re.compile(r"[!-~]{1,40}\Z")
_RANGE: Final = re.compile(
    r"(-?[0-9]{1,18})([A-Za-z%]*) *\.\. *(-?[0-9]{1,18})([A-Za-z%]*)"
    r"(?: +(step|times) +([0-9]{1,18}))?\Z",
    re.ASCII,
)
#: how an editor is told what the values of an axis are; ``read_axes`` says more
_SCALAR: Final = {"type": ["string", "number", "boolean"]}
_RANGE_TEXT: Final = {"type": "string", "pattern": f"^{_RANGE.pattern[:-2]}$"}
AXIS_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "array", "minItems": 1, "items": _SCALAR},
        {"type": "object", "minProperties": 1},
        _RANGE_TEXT,
    ]
}
SEEDS_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "array", "minItems": 1, "items": {"type": "integer"}},
        _RANGE_TEXT,
        {"type": "null"},
    ],
}
_WHAT: Final = "must be a list of values, a mapping, or a range as in 1..8 or 1..64 times 2"


class RangeError(ValueError):
    """A text is no range; the message says why."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range as it was written; it is unfolded only when its length is known."""

    first: int
    last: int
    unit: str
    times: bool
    step: int

    def __len__(self) -> int:
        if not self.times:
            return (self.last - self.first) // self.step + 1
        count, value = 1, self.first * self.step
        while value <= self.last:
            count, value = count + 1, value * self.step
        return count

    def numbers(self) -> Iterator[int]:
        """Yield the numbers."""
        value = self.first
        while value <= self.last:
            yield value
            value = value * self.step if self.times else value + self.step

    def values(self) -> Iterator[int | str]:
        """Yield the values: numbers, or texts of a number and the unit."""
        for number in self.numbers():
            yield f"{number}{self.unit}" if self.unit else number


def read_range(text: str) -> Range:
    """Return the range that ``text`` is.

    Raises:
        RangeError: it is none, or an empty one.
    """
    match = _RANGE.match(text.strip())
    if match is None:
        raise RangeError(_WHAT)
    first, last, step = int(match[1]), int(match[3]), int(match[6] or 1)
    times = match[5] == "times"
    if match[2] != match[4]:
        raise RangeError("both ends of a range must have the same unit")
    if first > last:
        raise RangeError("the range is empty: it ends before it begins")
    if step < (2 if times else 1):
        raise RangeError(f"{match[5]} must be at least {2 if times else 1}")
    if times and first < 1:
        raise RangeError("a range with times must begin at 1 or more")
    return Range(first, last, match[2], times, step)


def label_of(value: Any) -> str:
    """Return what a scalar is called as the value of an axis."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(slots=True)
class Axis:
    """An axis that has been found sound: its key, and its values with their labels."""

    key: str
    values: list[tuple[str, Any]]
    written: str  # list | dict | range: how, which says where a value stands in the file

    def place(self, number: int, label: str) -> KeyPath:
        """Return where a value stands."""
        if self.written == "range":
            return ("axes", self.key)
        return ("axes", self.key, label if self.written == "dict" else number)


@dataclass(slots=True)
class Axes:
    """All axes of an experiment, and the groups of them that are crossed."""

    axes: list[Axis]
    groups: list[list[int]]  # places in ``axes``; of one axis each, but for the paired ones

    def choices(self) -> Iterator[tuple[int, ...]]:
        """Yield the number of each axis' value, for every combination; the last one fastest."""
        lengths = [len(self.axes[group[0]].values) for group in self.groups]
        for numbers in product(*map(range, lengths)):
            chosen = [0] * len(self.axes)
            for group, number in zip(self.groups, numbers, strict=True):
                for place in group:
                    chosen[place] = number
            yield tuple(chosen)


def read_axes(
    written: Mapping[str, Any],
    paired: Sequence[Sequence[str]],
    seeds: int,
    document: Document,
    problems: list[Problem],
) -> Axes:
    """Return the axes; what is wrong with them is added to ``problems``, and they are then empty.

    Args:
        written: keys and values, as in the file.
        paired: keys of axes that go together.
        seeds: how many there are.
    """
    before = len(problems)
    lengths: dict[str, int] = {}
    for key, values in written.items():
        problems += _wrong_key(key, document)
        again = any(key in keys for keys in paired)
        lengths[key] = _length(key, values, document, problems, again)
    groups = _groups(written, paired, lengths, document, problems)
    points = prod(lengths[group[0]] for group in groups) * seeds
    if points > MAX_POINTS:
        what = f"must make at most {MAX_POINTS:,} points (got {points:,})"
        problems.append(document.problem(("axes",), what))
    if len(problems) > before:
        return Axes([], [])
    keys = list(written)
    axes = [_axis(key, values) for key, values in written.items()]
    return Axes(axes, [[keys.index(key) for key in group] for group in groups])


def _axis(key: str, values: Any) -> Axis:
    if isinstance(values, dict):
        return Axis(key, list(values.items()), "dict")
    if isinstance(values, str):
        found: Iterable[Any] = read_range(values).values()
        return Axis(key, [(label_of(value), value) for value in found], "range")
    return Axis(key, [(label_of(value), value) for value in values], "list")


def sound_axes(written: Mapping[str, Any]) -> list[Axis]:
    """Return axes that have been found sound, each by itself, but for those of too many values."""
    axes = [
        (key, len(read_range(values)) if isinstance(values, str) else len(values))
        for key, values in written.items()
    ]
    return [_axis(key, written[key]) for key, length in axes if length <= MAX_POINTS]


def _wrong_key(key: str, document: Document) -> Iterator[Problem]:
    if not _KEY.match(key):
        what = f"must be a key of the configuration, as in machine.cpus {got(key)}"
        yield document.problem(("axes", key), what, of_key=True)
    if key == "seed":
        what = "seeds have a key of their own: seeds"
        yield document.problem(("axes", key), what, of_key=True)


def _length(key: str, values: Any, document: Document, problems: list[Problem], again: bool) -> int:
    """Return how many values an axis has; what is wrong with them is added to ``problems``.

    Args:
        again: a value may be there twice, beside different ones of a paired axis.
    """
    path: KeyPath = ("axes", key)
    if isinstance(values, str):
        try:
            return len(read_range(values))
        except RangeError as error:
            problems.append(document.problem(path, f"{error} {got(values)}"))
            return 1
    if not isinstance(values, (list, dict)) or not values:
        problems.append(document.problem(path, f"{_WHAT} {got(values)}"))
        return 1
    if isinstance(values, dict):
        for label in values:
            if not _LABEL.match(label):
                what = f"a name has 1 to 40 characters and no blank {got(label)}"
                problems.append(document.problem((*path, label), what, of_key=True))
        return len(values)
    seen: set[str] = set()
    for number, value in enumerate(values):
        if isinstance(value, (list, dict)) or value is None:
            what = f"must be a scalar; in a mapping each value has a name {got(value)}"
            problems.append(document.problem((*path, number), what))
        elif label_of(value) in seen and not again:
            problems.append(document.problem((*path, number), f"is there twice {got(value)}"))
        seen.add(label_of(value))
    return len(values)


def _groups(
    written: Mapping[str, Any],
    paired: Sequence[Sequence[str]],
    lengths: Mapping[str, int],
    document: Document,
    problems: list[Problem],
) -> list[list[str]]:
    """Return the axes that go together, in the order of the first of each group."""
    group_of: dict[str, list[str]] = {}
    for number, keys in enumerate(paired):
        group: list[str] = []
        for place, key in enumerate(keys):
            path: KeyPath = ("paired", number, place)
            if key not in written:
                problems.append(document.problem(path, f"there is no such axis {got(key)}"))
            elif key in group_of:
                problems.append(document.problem(path, f"is paired twice {got(key)}"))
            else:
                group_of[key] = group
                group.append(key)
                if lengths[key] != lengths[group[0]]:
                    has = f"{lengths[key]:,} value{'' if lengths[key] == 1 else 's'}"
                    what = (
                        f"{key} has {has} and {group[0]} {lengths[group[0]]:,}: "
                        "paired axes have as many"
                    )
                    problems.append(document.problem(path, what))
    groups: list[list[str]] = []
    for key in written:
        group = group_of.get(key, [key])
        if group not in groups:
            groups.append(group)
    return groups


def read_seeds(written: Any, document: Document, problems: list[Problem]) -> tuple[int, ...]:
    """Return the seeds, () if there are none; what is wrong with them is added to ``problems``."""
    if written is None:
        return ()
    path: KeyPath = ("seeds",)
    if isinstance(written, str):
        try:
            found = read_range(written)
            if found.unit or found.first < 0 or found.last >= 1 << 63:
                raise RangeError("a seed is from 0 to 2**63 - 1")
            if len(found) > MAX_POINTS:
                raise RangeError(f"must make at most {MAX_POINTS:,} points")
        except RangeError as error:
            problems.append(document.problem(path, f"{error} {got(written)}"))
            return ()
        return tuple(found.numbers())
    if not isinstance(written, list) or not written:
        what = f"must be a list of numbers, or a range as in 1..20 {got(written)}"
        problems.append(document.problem(path, what))
        return ()
    for number, seed in enumerate(written):
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            what = f"a seed is from 0 to 2**63 - 1 {got(seed)}"
            problems.append(document.problem((*path, number), what))
        elif seed in written[:number]:
            problems.append(document.problem((*path, number), f"is there twice {got(seed)}"))
    return tuple(seed for seed in written if isinstance(seed, int))
