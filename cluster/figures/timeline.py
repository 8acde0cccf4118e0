"""A run as a figure: who ran where, states of tasks, runqueues, how long waits took.

Lanes are drawn stay by stay while there are few. A lane with more is cut into columns: each is
coloured by the name that ran longest in it, the paler the less the CPU was busy, as the page does;
so a figure stays small however long the run was.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cluster.export.stream import Records
from cluster.figures.library import COLOURS, laid_out, matplotlib, new_figure, style
from cluster.figures.states import STATES, states_over_time
from cluster.page.drawings import shown_ns
from cluster.page.history import Curve, Histogram, History, Stays
from cluster.trace import TraceReader
from kernel.trace.printable import printable_line

_WIDTH: Final = 7.2  # inches, of a page with margins
_STAYS: Final = 1500  # of one lane, drawn one by one
_CELLS: Final = 40_000  # of all lanes that are not
_NAMED: Final = 7  # names with a colour of their own
_OTHERS: Final = "#9a9a9a"
_STATE_COLOURS: Final = ("#009e73", "#e69f00", "#9db7cc", "#d55e00", "#cc79a7", "#7f7f7f")
_UNITS: Final = (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0))


def unit_for(largest_ns: float) -> tuple[str, float]:
    """Return the unit that fits a time, and its length in ns."""
    return next((each for each in _UNITS if largest_ns >= each[1]), _UNITS[-1])


def run_figure(name: str, history: History, digest: str = "") -> Any:
    """Return the figure of a run.

    Args:
        name: of the run.
        history: of its trace.
        digest: of the run; "" if it has none.

    Raises:
        NoMatplotlib: it is not installed.
    """
    cpus = len(history.stays)
    lanes = min(5.0, 0.5 + 0.17 * cpus)
    with style():
        figure = new_figure(_WIDTH, lanes + 5.4)
        told = f" ({digest[:23]}…)" if digest else ""
        figure.suptitle(f"{printable_line(name)}{told}", x=0.01, ha="left")
        heights = [lanes, 1.6, 1.3, 1.7]
        parts = figure.subplot_mosaic(
            [["lanes"], ["states"], ["queues"], ["waits"]], height_ratios=heights
        )
        unit, size = unit_for(history.end_ns)
        _draw_lanes(parts["lanes"], history, size)
        _draw_states(parts["states"], history, size)
        _draw_queues(parts["queues"], history, size)
        _draw_waits(parts["waits"], history)
        for one in ("lanes", "states", "queues"):
            parts[one].set_xlim(0, max(history.end_ns, 1) / size)
        parts["queues"].set_xlabel(f"virtual time in {unit}")
        return laid_out(figure)


def run_figure_of(trace: Path, name: str, digest: str = "") -> Any:
    """Return the figure of a run by its trace; else as ``run_figure``.

    Raises:
        TraceError: the trace is damaged.
        NoMatplotlib: it is not installed.
    """
    matplotlib()  # before the trace is gone through in vain
    with TraceReader(trace) as reader:
        history = History(Records(reader))
    return run_figure(name, history, digest)


# -- who ran where ---------------------------------------------------------------------------------


def _draw_lanes(axes: Any, history: History, size: float) -> None:
    colours, legend = _colours(history)
    columns = max(100, min(_STAYS, _CELLS // max(1, len(history.stays))))
    for cpu, stays in enumerate(history.stays):
        if len(stays.start) <= columns:
            spans = zip(stays.start, stays.length, stays.name)
            cells = [(start, length, colours[name], 1.0) for start, length, name in spans]
        else:
            cells = [
                (start, length, colours[name], busy)
                for start, length, name, busy in condensed(stays, history.end_ns, columns)
            ]
        if cells:
            boxes = [_box(start / size, length / size, cpu) for start, length, *_ in cells]
            faces = [matplotlib().colors.to_rgba(colour, busy) for *_, colour, busy in cells]
            axes.add_collection(
                matplotlib().collections.PolyCollection(boxes, facecolors=faces, linewidths=0)
            )
    every = -(-len(history.stays) // 16)
    axes.set_yticks(range(0, len(history.stays), every))
    axes.set_ylim(len(history.stays) - 0.5, -0.5)
    axes.set_ylabel("CPU")
    axes.set_title("Who ran where")
    axes.grid(axis="y", visible=False)
    _legend(axes, [(colour, text) for text, colour in legend.items()])


def _box(start: float, length: float, cpu: int) -> list[tuple[float, float]]:
    low, high = cpu - 0.42, cpu + 0.42
    return [(start, low), (start + length, low), (start + length, high), (start, high)]


def _colours(history: History) -> tuple[list[str], dict[str, str]]:
    """Return the colour of each name, and those for the legend: who ran longest has one."""
    ran: dict[int, float] = dict.fromkeys(range(len(history.names)), 0.0)
    for stays in history.stays:
        for name, length in zip(stays.name, stays.length):
            ran[name] += length
    order = sorted(ran, key=lambda name: (-ran[name], name))
    names = list(history.names)
    colours = [_OTHERS] * len(names)
    for colour, name in zip(COLOURS, order[:_NAMED]):
        colours[name] = colour
    legend = {printable_line(names[name]): colours[name] for name in order[:_NAMED]}
    if len(order) > _NAMED:
        legend["others"] = _OTHERS
    return colours, legend


def condensed(stays: Stays, end_ns: int, columns: int) -> list[tuple[float, float, int, float]]:
    """Return a lane in columns: start, length, the name that ran longest, the share of time busy.

    Args:
        stays: of the CPU.
        end_ns: where the last column ends.
        columns: how many; those in which nobody ran are left out.
    """
    width = max(end_ns, 1) / columns
    ran: list[dict[int, float]] = [{} for _ in range(columns)]
    for start, length, name in zip(stays.start, stays.length, stays.name):
        place = min(int(start / width), columns - 1)
        end = start + length
        while start < end:
            until = min(end, (place + 1) * width) if place < columns - 1 else end
            ran[place][name] = ran[place].get(name, 0.0) + max(until - start, 0.0)
            start, place = max(until, start), min(place + 1, columns - 1)
    return [
        (place * width, width, max(sorted(names), key=names.__getitem__), _share(names, width))
        for place, names in enumerate(ran)
        if any(names.values())
    ]


def _share(names: Mapping[int, float], width: float) -> float:
    return min(1.0, max(0.08, sum(names.values()) / width))


# -- curves ----------------------------------------------------------------------------------------


def _bins(curve: Curve, end_ns: int, size: float) -> list[float]:
    """Return the edges of a curve's bins."""
    edges = [curve.width_ns * place for place in range(max(1, len(curve.sums)))]
    return [each / size for each in [*edges, max(end_ns, edges[-1] + 1)]]


def _draw_states(axes: Any, history: History, size: float) -> None:
    curves = states_over_time(history)
    longest = max(curves.values(), key=lambda curve: len(curve.sums))
    edges = _bins(longest, history.end_ns, size)
    below = [0.0] * (len(edges) - 1)
    for name, colour in zip(STATES, _STATE_COLOURS):
        means = curves[name].means()
        means += [0.0] * (len(below) - len(means))
        above = [low + mean for low, mean in zip(below, means)]
        if any(means):
            axes.stairs(above, edges, baseline=below, fill=True, color=colour, linewidth=0)
        below = above
    axes.set_ylim(bottom=0)
    axes.set_ylabel("tasks")
    axes.set_title("Tasks by state")
    _legend(axes, list(zip(_STATE_COLOURS, STATES)))


def _draw_queues(axes: Any, history: History, size: float) -> None:
    queues = history.queues
    width_ns = max(curve.width_ns for curve in queues)
    for curve in queues:
        curve.widen(width_ns)
    longest = max(queues, key=lambda curve: len(curve.sums))
    edges = _bins(longest, history.end_ns, size)
    rows = [curve.means() for curve in queues]
    rows = [row + [0.0] * (len(edges) - 1 - len(row)) for row in rows]
    columns = list(zip(*rows))
    means = [sum(column) / len(column) for column in columns]
    low, high = [min(column) for column in columns], [max(column) for column in columns]
    axes.stairs(high, edges, baseline=low, fill=True, color="#0072b2", alpha=0.22, linewidth=0)
    axes.stairs(means, edges, baseline=None, color="#0072b2")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("tasks")
    axes.set_title("Length of a runqueue, who runs included: mean of the CPUs, least to greatest")


def _draw_waits(axes: Any, history: History) -> None:
    lines = (
        ("runnable to running", history.waits, COLOURS[0], "-"),
        ("fork to first turn", history.first_runs, COLOURS[1], "--"),
    )
    for name, histogram, colour, dashes in lines:
        places, shares = cumulated(histogram)
        if places:
            told = f"{name}:\n{histogram.number:,}, longest {shown_ns(histogram.largest)}"
            axes.step(places, shares, where="post", color=colour, linestyle=dashes, label=told)
    largest = max(history.waits.largest, history.first_runs.largest, 1000)
    powers = [0, *(10**power for power in range(2, 19) if 10**power <= largest)]
    axes.set_xscale("symlog", linthresh=100)
    axes.set_xlim(0, largest * 1.1)
    axes.set_xticks(powers, [shown_ns(power) for power in powers])
    axes.minorticks_off()
    axes.set_ylim(0, 100.5)
    axes.set_xlabel("so long or less")
    axes.set_ylabel("% of waits")
    axes.set_title("How long waits took")
    if axes.lines:
        axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5))


def cumulated(histogram: Histogram) -> tuple[list[int], list[float]]:
    """Return times in ns, and the per cent of all that took no longer: exact at these times."""
    places, shares, below = [], [], 0
    for least, beyond, count in histogram.rows():
        below += count
        places.append(min(beyond - 1, histogram.largest) if beyond - 1 > least else least)
        shares.append(100 * below / histogram.number)
    return places, shares


def _legend(axes: Any, keys: Sequence[tuple[str, str]]) -> None:
    patches = [matplotlib().patches.Patch(color=colour, label=text) for colour, text in keys]
    axes.legend(handles=patches, loc="center left", bbox_to_anchor=(1.005, 0.5))
