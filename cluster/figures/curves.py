"""What is drawn of a sweep: of each measure a panel, in it a line for each value of the other axes.

Along the bottom is one axis: the one that is asked for, else the first of numbers with the most
values, else the first. Every combination of the others that occurs is a line; an axis that goes
together with the one along the bottom makes none. A point is the mean over the seeds; where there
are several its band is the 95 % interval of that mean by Student's t, as
``cluster.sweep.intervals`` has it.

Numbers stand at their places, linearly or, where they span more than a factor of twenty and none
is below zero, by their logarithms; values that are no numbers stand side by side, and nothing leads
from one to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cluster.config.measures import PARTS, is_time
from cluster.report.units import counted
from cluster.sweep.differences import NO_RESULT, Sample
from cluster.sweep.intervals import mean_interval
from cluster.sweep.table import typed

#: lines of one panel; more cannot be told apart
MOST_LINES: Final = 24
_WIDE: Final = 20.0  # largest to least, from where on a scale is logarithmic


def not_drawn(lines: int) -> str:
    """Say that so many lines are left out."""
    return f"{counted(lines, 'line')} more {'is' if lines == 1 else 'are'} not drawn"


class NothingToDraw(Exception):
    """A sweep has no such axis or measure, or no results; the message says so in one line."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The mean of the runs of one point.

    Attributes:
        x: place along the bottom: the value, or its number among them.
        label: of the value.
        low, high: of the 95 % interval; the mean itself where there is one run.
        runs: how many.
    """

    x: float
    label: str
    mean: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True, slots=True)
class Line:
    """One combination of the other axes; ``name`` is empty if there is only one."""

    name: str
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure.

    Attributes:
        time: whether it is in ns.
        logarithmic: the scale of its values.
    """

    measure: str
    time: bool
    logarithmic: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """A sweep as it is drawn.

    Attributes:
        axis: along the bottom, its whole key.
        title: the same in short.
        numbers: whether its values are numbers.
        logarithmic: the scale along the bottom.
        ticks: place and label of each value.
        left_out: lines that are too many to be drawn.
        failed: points without measures.
        banded: whether there are intervals.
    """

    axis: str
    title: str
    numbers: bool
    logarithmic: bool
    ticks: tuple[tuple[float, str], ...]
    panels: tuple[Panel, ...]
    left_out: int
    failed: int
    banded: bool


def curves_of(sample: Sample, axis: str = "", measures: Sequence[str] = ()) -> Curves:
    """Return what is drawn of a sweep.

    Args:
        sample: its points.
        axis: along the bottom; "": see above.
        measures: to draw; (): all that were measured anywhere.

    Raises:
        NothingToDraw: there is no such axis or measure, or no result.
    """
    along = _axis(sample, axis)
    place = sample.axes.index(along)
    labels = list(dict.fromkeys(cell[place] for cell in sample.cells))
    values = typed(labels)
    numbers = all(type(value) in (int, float) for value in values)
    places = {
        label: float(value) if numbers else float(number)
        for number, (label, value) in enumerate(zip(labels, values))
    }
    short = short_names(sample.axes)
    telling = _telling(sample, place)
    lines = _lines(sample, telling, short)
    shown = dict(list(lines.items())[:MOST_LINES])
    panels = [
        _panel(sample, measure, shown, telling, place, places)
        for measure in _measures(sample, measures)
    ]
    drawn = tuple(panel for panel in panels if panel.lines)
    if not drawn:
        raise NothingToDraw(f"{sample.name}: nothing was measured")
    return Curves(
        axis=along,
        title=short[along],
        numbers=numbers,
        logarithmic=numbers and _wide(list(places.values())),
        ticks=tuple((places[label], label) for label in labels),
        panels=drawn,
        left_out=len(lines) - len(shown),
        failed=sample.failed,
        banded=any(spot.runs > 1 for panel in drawn for line in panel.lines for spot in line.spots),
    )


def _axis(sample: Sample, axis: str) -> str:
    if not sample.cells:
        raise NothingToDraw(f"{sample.name}: {NO_RESULT}")
    if not sample.axes:
        raise NothingToDraw(f"{sample.name}: all axes are fixed: there is nothing along the bottom")
    if axis:
        if axis in sample.axes:
            return axis
        named = [key for key, short in short_names(sample.axes).items() if short == axis]
        if not named:
            there = ", ".join(sample.axes)
            raise NothingToDraw(f"--x: no axis {axis} that is free (there is: {there})")
        return named[0]
    best, most = sample.axes[0], 1
    for place, key in enumerate(sample.axes):
        values = typed(list(dict.fromkeys(cell[place] for cell in sample.cells)))
        if len(values) > most and all(type(value) in (int, float) for value in values):
            best, most = key, len(values)
    return best


def _measures(sample: Sample, measures: Sequence[str]) -> Sequence[str]:
    missing = [name for name in measures if name not in sample.measures]
    if missing:
        there = ", ".join(sample.measures)
        raise NothingToDraw(f"--measure: {', '.join(missing)} (there is: {there})")
    return measures or sample.measures


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return each key with as few of its last parts as tell it apart from the others."""
    found = {}
    for key in keys:
        parts = key.split(".")
        for count in range(1, len(parts) + 1):
            short = ".".join(parts[-count:])
            alike = [other for other in keys if f".{other}".endswith(f".{short}")]
            if len(alike) == 1 or count == len(parts):
                found[key] = short
                break
    return found


def _telling(sample: Sample, place: int) -> list[int]:
    """Return the places of the axes that tell lines apart.

    An axis that goes together with the one along the bottom (``paired``) does not, nor one of a
    single value.
    """
    found = []
    for other in range(len(sample.axes)):
        pairs = {(cell[place], cell[other]) for cell in sample.cells}
        if other != place and len(pairs) > len({along for along, _ in pairs}):
            found.append(other)
    return found


def _lines(
    sample: Sample, telling: Sequence[int], short: Mapping[str, str]
) -> dict[tuple[str, ...], str]:
    """Return the names of lines by the labels of the axes that tell them apart."""
    keys = [short[sample.axes[place]] for place in telling]
    labels = dict.fromkeys(tuple(cell[place] for place in telling) for cell in sample.cells)
    return {each: ", ".join(map(" ".join, zip(keys, each))) for each in labels}


def _panel(
    sample: Sample,
    measure: str,
    lines: Mapping[tuple[str, ...], str],
    telling: Sequence[int],
    place: int,
    places: Mapping[str, float],
) -> Panel:
    spots: dict[tuple[str, ...], list[Spot]] = {labels: [] for labels in lines}
    parts = PARTS.get(measure, 1)
    for cell, runs in sample.cells.items():
        of_line = spots.get(tuple(cell[other] for other in telling))
        values = [found[measure] / parts for _, found in sorted(runs.items()) if measure in found]
        if of_line is not None and values:
            of_line.append(_spot(places[cell[place]], cell[place], values))
    drawn = tuple(
        Line(name, tuple(sorted(spots[labels], key=lambda spot: spot.x)))
        for labels, name in lines.items()
        if spots[labels]
    )
    means = [spot.mean for line in drawn for spot in line.spots]
    return Panel(measure, is_time(measure), _wide(means), drawn)


def _spot(x: float, label: str, values: Sequence[float]) -> Spot:
    return Spot(x, label, *mean_interval(values), len(values))


def _wide(values: Sequence[float]) -> bool:
    """Tell whether a scale has to be logarithmic."""
    return min(values, default=0) > 0 and max(values) > _WIDE * min(values)
