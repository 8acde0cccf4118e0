"""A sweep's curves as a figure of matplotlib: see ``cluster.figures.curves``."""

from collections.abc import Sequence
from typing import Any, Final

from cluster.figures.curves import Curves, Line, Panel, not_drawn
from cluster.figures.library import COLOURS, laid_out, new_figure, style
from cluster.figures.timeline import unit_for
from cluster.sweep.differences import without_result
from kernel.trace.printable import printable_line

_WIDTH: Final = 7.2  # inches
_ACROSS: Final = 2
_HIGH: Final = 2.3  # inches of a panel
_ROW: Final = 0.17  # inches of a row of the legend
_DASHES: Final = ("-", "--", ":")
_MARKS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")


def sweep_figure(name: str, curves: Curves) -> Any:
    """Return the figure of a sweep.

    Args:
        name: of the sweep.
        curves: what is drawn.

    Raises:
        NoMatplotlib: it is not installed.
    """
    down = -(-len(curves.panels) // _ACROSS)
    across = min(_ACROSS, len(curves.panels))
    most = max(curves.panels, key=lambda panel: len(panel.lines))
    named = [line.name for line in most.lines if line.name]
    columns = _columns(named)
    with style():
        height = 0.5 + _HIGH * down + _ROW * -(-len(named) // columns)
        figure = new_figure(_WIDTH if across > 1 else _WIDTH * 0.7, height)
        figure.suptitle(printable_line(f"{name}{_said(curves)}"), x=0.01, ha="left")
        parts = figure.subplots(down, across, squeeze=False).ravel()
        for axes, panel in zip(parts, curves.panels):
            _draw(axes, panel, curves)
        for axes in parts[len(curves.panels) :]:
            axes.set_axis_off()
        if named:
            keys = dict(
                zip(*parts[list(curves.panels).index(most)].get_legend_handles_labels()[::-1])
            )
            figure.legend(
                keys.values(), keys.keys(), loc="outside lower left", ncols=columns, borderpad=0.2
            )
        return laid_out(figure)


def _columns(names: Sequence[str]) -> int:
    """Return how many names stand side by side."""
    longest = max(map(len, names), default=1)
    return max(1, min(4, 96 // (longest + 8), len(names)))


def _said(curves: Curves) -> str:
    """Return what is to be known of all panels."""
    notes = ["means and 95 % intervals over the seeds"] if curves.banded else []
    if curves.left_out:
        notes.append(not_drawn(curves.left_out))
    if curves.failed:
        notes.append(without_result(curves.failed))
    return f": {'; '.join(notes)}" if notes else ""


def _draw(axes: Any, panel: Panel, curves: Curves) -> None:
    largest = max(spot.high for line in panel.lines for spot in line.spots)
    unit, size = unit_for(largest) if panel.time else ("", 1.0)
    axes.set_title(printable_line(panel.measure + (f" in {unit}" if unit else "")))
    for number, line in enumerate(panel.lines):
        look = {
            "color": COLOURS[number % len(COLOURS)],
            "marker": _MARKS[number % len(_MARKS)],
            "label": printable_line(line.name) or "_",
        }
        if curves.numbers:
            _draw_line(axes, line, size, number, look)
        else:
            _draw_marks(axes, line, size, (number + 0.5) / len(panel.lines) - 0.5, look)
    axes.set_xlabel(printable_line(curves.title))
    _scale(axes, panel, curves)


def _draw_line(axes: Any, line: Line, size: float, number: int, look: dict[str, Any]) -> None:
    places = [spot.x for spot in line.spots]
    dashes = _DASHES[number // len(COLOURS) % len(_DASHES)]
    axes.plot(places, [spot.mean / size for spot in line.spots], linestyle=dashes, **look)
    if any(spot.runs > 1 for spot in line.spots):
        low, high = (
            [spot.low / size for spot in line.spots],
            [spot.high / size for spot in line.spots],
        )
        axes.fill_between(places, low, high, color=look["color"], alpha=0.18, linewidth=0)


def _draw_marks(axes: Any, line: Line, size: float, aside: float, look: dict[str, Any]) -> None:
    places = [spot.x + 0.6 * aside for spot in line.spots]
    means = [spot.mean / size for spot in line.spots]
    halves = [(spot.high - spot.mean) / size for spot in line.spots]
    bars = halves if any(halves) else None
    axes.errorbar(places, means, yerr=bars, linestyle="none", capsize=2, elinewidth=1, **look)


def _scale(axes: Any, panel: Panel, curves: Curves) -> None:
    if curves.logarithmic:
        axes.set_xscale("log", base=2)
    axes.margins(x=0.06, y=0.08)
    axes.yaxis.set_major_formatter(_plain)
    if panel.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(_plain)
        axes.yaxis.set_minor_formatter("")
    else:
        low, high = axes.get_ylim()
        lowest = min(spot.low for line in panel.lines for spot in line.spots)
        axes.set_ylim(low if lowest < 0 else 0.0, high if high > 0.06 else 1.0)
    ticks = sorted(curves.ticks)
    if curves.numbers and len(ticks) > 8:
        ticks = ticks[:: -(-len(ticks) // 8)]
    labels = [printable_line(label) for _, label in ticks]
    turned = not curves.numbers and sum(map(len, labels)) > 44
    axes.set_xticks(
        [place for place, _ in ticks],
        labels,
        rotation=20 if turned else 0,
        ha="right" if turned else "center",
    )
    axes.set_xticks([], minor=True)
    if not curves.numbers:
        axes.set_xlim(-0.5, len(ticks) - 0.5)


def _plain(value: float, place: int | None = None) -> str:
    """Return a number for an axis: 20,000 and 0.25, not 2e4."""
    if value and (abs(value) >= 1e9 or abs(value) < 1e-3):
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:g}"
