"""A sweep's curves as drawings inside a page: SVG that goes with the page's colours, and no script.

Each drawing says in words what it shows; who points at a mark is told its numbers, which the page's
table has as well.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final

from cluster.figures.curves import Curves, Line, Panel, Spot
from cluster.figures.library import COLOURS
from cluster.page.drawings import shown_ns

_WIDTH: Final = 620
_HEIGHT: Final = 230
_LEFT: Final = 74
_TOP: Final = 12
_BELOW: Final = 38
#: of the marks, in the order of the lines; the colours go round in eight
SHAPES: Final = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
    "M-3.5,-3.5h7v7h-7z",
    "M0,-4.5L4,3.5H-4z",
    "M0,-5L5,0L0,5L-5,0z",
    "M0,4.5L4,-3.5H-4z",
)
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


def shown_value(panel: Panel, value: float) -> str:
    """Return a value of a measure for people."""
    if panel.time:
        return shown_ns(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:,.4g}"


def spot_words(panel: Panel, spot: Spot) -> str:
    """Return mean and interval of a point."""
    told = shown_value(panel, spot.mean)
    if spot.runs > 1:
        ends = f"{shown_value(panel, spot.low)} to {shown_value(panel, spot.high)}"
        told += f" ({ends}, {spot.runs} runs)"
    return told


def chart(panel: Panel, curves: Curves) -> str:
    """Return the drawing of one measure."""
    across = _across(curves)
    values = [each for line in panel.lines for spot in line.spots for each in (spot.low, spot.high)]
    ticks, up = _up(values, panel.logarithmic)
    parts = [*_frame(panel, curves, ticks, across, up)]
    for number, line in enumerate(panel.lines):
        parts += _line(panel, line, number, curves, across, up)
    told = _told(panel, curves)
    return (
        f'<figure><svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT + _TOP + _BELOW}" role="img" '
        f'aria-label="{escape(told)}">{"".join(parts)}</svg>'
        f"<figcaption>{escape(told)}</figcaption></figure>"
    )


def _told(panel: Panel, curves: Curves) -> str:
    """Return in words what a drawing shows."""
    spots = [(spot, line) for line in panel.lines for spot in line.spots]
    words = [f"{panel.measure} over {curves.title}"]
    for what, (spot, line) in (
        ("least", min(spots, key=lambda each: each[0].mean)),
        ("greatest", max(spots, key=lambda each: each[0].mean)),
    ):
        where = f"{curves.title} {spot.label}" + (f", {line.name}" if line.name else "")
        words.append(f"{what} {shown_value(panel, spot.mean)} at {where}")
    scales = "both scales" if curves.logarithmic and panel.logarithmic else "the scale of values"
    if panel.logarithmic:
        words.append(f"{scales} logarithmic")
    elif curves.logarithmic:
        words.append("the scale along the bottom logarithmic")
    return "; ".join(words)


def _across(curves: Curves) -> Callable[[float], float]:
    """Return where a place along the bottom is drawn."""
    places = [place for place, _ in curves.ticks]
    if curves.logarithmic:
        low, high = log10(min(places)), log10(max(places))
        return lambda x: _between((log10(x) - low) / (high - low))
    low, high = min(places), max(places)
    if not curves.numbers:
        low, high = low - 0.5, high + 0.5
    return lambda x: _between((x - low) / (high - low) if high > low else 0.5)


def _between(share: float) -> float:
    return _LEFT + 14 + share * (_WIDTH - _LEFT - 34)


def _up(values: Sequence[float], logarithmic: bool) -> tuple[list[float], Callable[[float], float]]:
    """Return the values that have a line across, and where a value is drawn."""
    if logarithmic:
        positive = [value for value in values if value > 0]
        first, last = floor(log10(min(positive))), ceil(log10(max(positive)))
        last = max(last, first + 1)
        ticks = [10.0**power for power in range(first, last + 1, max(1, (last - first) // 6))]
        return ticks, lambda value: _height(
            (log10(max(value, 10.0**first)) - first) / (last - first)
        )
    low, high = min(0.0, *values), max(0.0, *values)
    step = _step((high - low) / 5)
    first, last = floor(low / step), max(ceil(high / step), 1)
    ticks = [step * number for number in range(first, last + 1)]
    return ticks, lambda value: _height((value / step - first) / (last - first))


def _step(about: float) -> float:
    """Return a round number from ``about`` on."""
    if about <= 0:
        return 1.0
    power = 10.0 ** floor(log10(about))
    return next(step * power for step in _STEPS if step * power >= about * 0.999)


def _height(share: float) -> float:
    return _TOP + _HEIGHT * (1 - min(max(share, 0.0), 1.0))


def _frame(
    panel: Panel,
    curves: Curves,
    ticks: Sequence[float],
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> Iterator[str]:
    for value in ticks:
        y = up(value)
        yield f'<path class="grid" d="M{_LEFT},{y:.1f}H{_WIDTH - 6}"/>'
        word = escape(shown_value(panel, value))
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{word}</text>'
    foot = _TOP + _HEIGHT
    every = -(-len(curves.ticks) // 10) if curves.numbers else 1
    for place, label in sorted(curves.ticks)[::every]:
        word = label if len(label) <= 18 else f"{label[:17]}…"
        yield (
            f'<text x="{across(place):.1f}" y="{foot + 16}" text-anchor="middle">'
            f"{escape(word)}</text>"
        )
    name = escape(curves.title)
    yield f'<text x="{_WIDTH - 6}" y="{foot + 32}" text-anchor="end">{name}</text>'
    yield f'<path class="edge" d="M{_LEFT},{_TOP}V{foot}H{_WIDTH - 6}"/>'


def _line(
    panel: Panel,
    line: Line,
    number: int,
    curves: Curves,
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> Iterator[str]:
    colour, shape = f"var(--line-{number % len(COLOURS)})", SHAPES[number % len(SHAPES)]
    aside = 0.0
    if not curves.numbers:
        room = across(1.0) - across(0.0) if len(curves.ticks) > 1 else 60.0
        aside = 0.6 * room * ((number + 0.5) / len(panel.lines) - 0.5)
    places = [(across(spot.x) + aside, spot) for spot in line.spots]
    if any(spot.runs > 1 for spot in line.spots):
        if curves.numbers:
            ends = [f"{x:.1f},{up(spot.high):.1f}" for x, spot in places]
            ends += [f"{x:.1f},{up(spot.low):.1f}" for x, spot in reversed(places)]
            yield f'<polygon points="{" ".join(ends)}" fill="{colour}" fill-opacity=".2"/>'
        else:
            for x, spot in places:
                yield (
                    f'<path d="M{x:.1f},{up(spot.high):.1f}V{up(spot.low):.1f}" '
                    f'stroke="{colour}" stroke-width="1.5"/>'
                )
    if curves.numbers and len(places) > 1:
        joined = " ".join(f"{x:.1f},{up(spot.mean):.1f}" for x, spot in places)
        dashes = ("", ' stroke-dasharray="6 3"', ' stroke-dasharray="2 3"')[number // 8 % 3]
        yield (
            f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"'
            f"{dashes}/>"
        )
    for x, spot in places:
        told = f"{line.name}: " if line.name else ""
        told += f"{curves.title} {spot.label}: {spot_words(panel, spot)}"
        yield (
            f'<path transform="translate({x:.1f},{up(spot.mean):.1f})" d="{shape}" '
            f'fill="{colour}"><title>{escape(told)}</title></path>'
        )
