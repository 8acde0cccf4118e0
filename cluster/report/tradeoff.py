"""The trade-off curve of synchronisation schemes: error against speed, drawn.

The curve that Graphite and Sniper publish: the further apart CPUs may run, the faster the host is
and the more the result is off. On a terminal it is drawn for makespan and fork latency; a file has
a panel for each measure. Speed is told by the CPU time that the host took, which is what its wall
time is when it has nothing else to do; or, where that is not known of all (on Ray), by wall time.
Both axes are logarithmic. An error has no sign there; those
up to ``_LEAST`` per cent stand on the bottom line, where ``exact`` is, at speed 1.

The SVG file needs nothing else: no script, no font, no network; who points at a mark is told its
numbers. The HTML file is a page with the same drawing and the table of what it shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from math import ceil, floor, log10
from typing import IO, Final

from rich.console import Console
from rich.text import Text

from cluster.config.accuracy import COMPARED, REFERENCE, scheme_name
from cluster.report.accuracy import HOST_TITLES, TITLES, Row, format_error, host_cells

_LEAST: Final = 0.01  # per cent
_ON_TERMINAL: Final = ("virtual", "fork_mean")
_WORDS: Final = {
    "virtual": "makespan",
    "fork_mean": "fork latency",
    "queue_mean": "runqueue wait",
    "switches": "switches",
    "migrations": "migrations",
    "lock_wait": "lock waits",
}
_FINE: Final = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_STYLES: Final = ("blue", "dark_orange", "green", "magenta", "cyan", "red", "yellow", "white")
# Okabe and Ito: told apart by people who see few colours, too
_COLOURS: Final = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a7d00", "#000000"),
)


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis: ``place`` is from 0 to 1."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a value stands."""
        at = (log10(max(value, self.low)) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return min(max(at, 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Return the values that are named: powers of ten, and more if those are few."""
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        decades = log10(self.high / self.low)
        steps = _FINE if decades < 0.7 else (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)
        values = [step * 10.0**power for power in powers for step in steps]
        return [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]


def _axes(rows: Sequence[Row], names: Sequence[str]) -> tuple[_Axis, _Axis]:
    """Return the axes of speed and error that hold the rows."""
    speeds = [row.speed for row in rows if row.speed is not None] + [1.0]
    errors = [abs(error[0]) for row in rows for name in names if (error := row.errors[name])]
    top = 10.0 ** ceil(log10(max([*errors, 0.1])))
    return _Axis(min(speeds) / 1.15, max(speeds) * 1.15), _Axis(_LEAST, top)


def _clock(rows: Sequence[Row]) -> str:
    """Return how speed is told: see the module header."""
    known = all(row.cpu_speed is not None for row in rows if row.speed is not None)
    return "CPU time" if known else "wall time"


def _timed(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with the speed that is drawn as ``speed``."""
    if _clock(rows) == "wall time":
        return list(rows)
    return [replace(row, speed=row.cpu_speed) for row in rows]


def _number(value: float) -> str:
    return f"{value:g}"


# -- on a terminal ----------------------------------------------------------------------------

_HEIGHT: Final = 11
_MOST_WIDTH: Final = 76
_LEFT: Final = 8


def print_tradeoff(rows: Sequence[Row], file: IO[str] | None = None) -> None:
    """Print the curves for makespan and fork latency; nothing if no scheme can be shown.

    Args:
        rows: as ``cluster.report.accuracy.rows_of`` gave them.
        file: standard output if None.
    """
    clock, rows = _clock(rows), _timed(rows)
    console = Console(file=file, highlight=False, emoji=False, markup=False)
    schemes = list(dict.fromkeys(row.scheme for row in rows if row.scheme != REFERENCE))
    cpus = list(dict.fromkeys(row.cpus for row in rows))
    shown = False
    for name in _ON_TERMINAL:
        marks = list(_marks(rows, name, schemes, cpus))
        if marks:
            shown = True
            width = max(20, min(_MOST_WIDTH, console.width - _LEFT - 2))
            title = f"error of the {_WORDS[name]} in %, against speed by {clock} (exact is 1)"
            console.print("", Text(title), sep="\n")
            for line in _chart(marks, _axes(rows, (name,)), width):
                console.print(line, soft_wrap=True)
    if shown:
        legend = [f"{_letter(number)} {scheme}" for number, scheme in enumerate(schemes)]
        after = "; the number is that of the CPUs" if len(cpus) > 1 else ""
        console.print(Text("  ".join(legend) + after), soft_wrap=True)


def _letter(number: int) -> str:
    return _LETTERS[number % len(_LETTERS)]


@dataclass(frozen=True, slots=True)
class _Mark:
    text: str
    style: str
    speed: float
    error: float


def _marks(
    rows: Sequence[Row], name: str, schemes: Sequence[str], cpus: Sequence[str]
) -> Iterator[_Mark]:
    for row in rows:
        error = row.errors[name]
        if row.scheme != REFERENCE and error is not None and row.speed:
            text = _letter(schemes.index(row.scheme)) + (row.cpus if len(cpus) > 1 else "")
            style = _STYLES[cpus.index(row.cpus) % len(_STYLES)]
            yield _Mark(text, style, row.speed, abs(error[0]))


def _chart(marks: Sequence[_Mark], axes: tuple[_Axis, _Axis], width: int) -> Iterator[Text]:
    """Yield the lines of a drawing."""
    speed, error = axes
    cells: list[list[tuple[str, str]]] = [[(" ", "")] * width for _ in range(_HEIGHT)]
    for mark in marks:
        length = len(mark.text)
        column = min(round(speed.place(mark.speed) * (width - 1)), width - length)
        line = _HEIGHT - 1 - round(error.place(mark.error) * (_HEIGHT - 1))
        line, column = _free(cells, line, column, length)
        for offset, character in enumerate(mark.text):
            cells[line][column + offset] = (character, mark.style)
    names = {
        _HEIGHT - 1 - round(error.place(value) * (_HEIGHT - 1)): _number(value)
        for value in error.ticks()
    }
    for number, line_cells in enumerate(cells):
        text = Text(f"{names.get(number, ''):>{_LEFT - 2}} |")
        for character, style in line_cells:
            text.append(character, style)
        text.rstrip()
        yield text
    yield Text(f"{'':>{_LEFT - 1}}+{'-' * width}")
    scale = [" "] * (width + 6)
    for value in speed.ticks():
        column = round(speed.place(value) * (width - 1))
        word = _number(value)
        if all(cell == " " for cell in scale[max(column - 1, 0) : column + len(word) + 1]):
            scale[column : column + len(word)] = word
    yield Text(f"{'':>{_LEFT}}{''.join(scale).rstrip()}")


def _free(
    cells: Sequence[Sequence[tuple[str, str]]], line: int, column: int, length: int
) -> tuple[int, int]:
    """Return the place nearest to one that is wanted where nothing stands, else that one."""
    width = len(cells[0])
    places = [
        (abs(down) * 4 + abs(right), down, right)
        for down in range(-_HEIGHT, _HEIGHT)
        for right in range(-width, width)
        if 0 <= line + down < _HEIGHT and 0 <= column + right <= width - length
    ]
    for _, down, right in sorted(places):
        at = cells[line + down][max(column + right - 1, 0) : column + right + length + 1]
        if all(character == " " for character, _ in at):
            return line + down, column + right
    return line, column


# -- in a file --------------------------------------------------------------------------------

_PANEL: Final = (300, 210)  # of the drawing alone
_GAP: Final = (72, 74)
_ACROSS: Final = 3
_HEAD: Final = 46
_SHAPES: Final = (
    "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
    "M-4.5,-4.5h9v9h-9z",
    "M0,-6L6,0L0,6L-6,0z",
    "M0,-5.5L5.5,4.5H-5.5z",
    "M0,5.5L5.5,-4.5H-5.5z",
    "M-6,0L4.5,-5.5V5.5z",
    "M6,0L-4.5,-5.5V5.5z",
    "M-2,-5.5h4v3.5h3.5v4h-3.5v3.5h-4v-3.5h-3.5v-4h3.5z",
)


def tradeoff_svg(name: str, rows: Sequence[Row]) -> str:
    """Return the curves of all measures as an SVG file.

    Args:
        name: of what was run.
        rows: as ``cluster.report.accuracy.rows_of`` gave them.
    """
    clock, rows = _clock(rows), _timed(rows)
    schemes = list(dict.fromkeys(row.scheme for row in rows))
    cpus = list(dict.fromkeys(row.cpus for row in rows))
    axes = _axes(rows, COMPARED)
    down = -(-len(COMPARED) // _ACROSS)
    width = _ACROSS * (_PANEL[0] + _GAP[0]) + 16
    below = _HEAD + down * (_PANEL[1] + _GAP[1])
    height = below + 30 + 18 * (-(-len(schemes) // 4))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#222">',
        f"<title>{escape(name)}: error against speed</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="24" font-size="16">{escape(name)}: error of schemes in %, against '
        f"speed by {clock} (exact is 1)</text>",
    ]
    for number, measure in enumerate(COMPARED):
        left = _GAP[0] - 12 + (number % _ACROSS) * (_PANEL[0] + _GAP[0])
        top = _HEAD + 20 + (number // _ACROSS) * (_PANEL[1] + _GAP[1])
        parts.append(f'<g transform="translate({left},{top})">')
        parts.extend(_frame(_WORDS[measure], axes))
        for count in cpus:
            of_cpus = [row for row in rows if row.cpus == count]
            parts.extend(_curve(of_cpus, measure, schemes, _colour(cpus, count), axes))
        parts.append("</g>")
    parts.extend(_legend(schemes, cpus, below))
    return "\n".join([*parts, "</svg>", ""])


def _colour(cpus: Sequence[str], count: str) -> str:
    return _COLOURS[cpus.index(count) % len(_COLOURS)]


def _frame(title: str, axes: tuple[_Axis, _Axis]) -> Iterator[str]:
    width, height = _PANEL
    speed, error = axes
    yield f'<text x="0" y="-8" font-weight="bold">{escape(title)}</text>'
    for value in error.ticks():
        y = height * (1 - error.place(value))
        word = f"≤ {_number(value)}" if value == _LEAST else _number(value)
        yield f'<path d="M0,{y:.1f}H{width}" stroke="#ddd"/>'
        yield f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{word}</text>'
    for value in speed.ticks():
        x = width * speed.place(value)
        yield f'<path d="M{x:.1f},0V{height}" stroke="#eee"/>'
        yield f'<text x="{x:.1f}" y="{height + 16}" text-anchor="middle">{_number(value)}</text>'
    yield f'<path d="M0,0V{height}H{width}" fill="none" stroke="#666"/>'
    yield f'<text x="{width}" y="{height + 32}" text-anchor="end" fill="#666">speed</text>'


def _curve(
    rows: Sequence[Row],
    measure: str,
    schemes: Sequence[str],
    colour: str,
    axes: tuple[_Axis, _Axis],
) -> Iterator[str]:
    """Yield the marks of one number of CPUs, and lines from exact through those of each scheme."""
    width, height = _PANEL
    speed, error = axes
    lines: dict[str, list[str]] = {}
    for row in rows:
        found = row.errors[measure]
        if found is None or not row.speed:
            continue
        x, y = width * speed.place(row.speed), height * (1 - error.place(abs(found[0])))
        start = lines.get(REFERENCE, [])[:1]
        lines.setdefault(scheme_name(row.scheme), start).append(f"{x:.1f},{y:.1f}")
        shape = _SHAPES[schemes.index(row.scheme) % len(_SHAPES)]
        said = f"{row.scheme}, {row.cpus} CPUs: {format_error(found[0])}, speed {row.speed:.2f}"
        yield (
            f'<path transform="translate({x:.1f},{y:.1f})" d="{shape}" fill="{colour}" '
            f'fill-opacity="0.85"><title>{escape(said)}</title></path>'
        )
    for places in lines.values():
        if len(places) > 1:
            joined = " ".join(places)
            yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-opacity=".6"/>'


def _legend(schemes: Sequence[str], cpus: Sequence[str], top: int) -> Iterator[str]:
    x = 16
    for count in cpus:
        colour = _colour(cpus, count)
        yield f'<rect x="{x}" y="{top}" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="{top + 11}">{escape(count)} CPUs</text>'
        x += 110
    for number, scheme in enumerate(schemes):
        x, y = 22 + (number % 4) * 270, top + 30 + (number // 4) * 18
        shape = _SHAPES[number % len(_SHAPES)]
        yield f'<path transform="translate({x},{y})" d="{shape}" fill="#444"/>'
        yield f'<text x="{x + 12}" y="{y + 4}">{escape(scheme)}</text>'


def tradeoff_html(name: str, rows: Sequence[Row]) -> str:
    """Return a page with the drawing of ``tradeoff_svg`` and its numbers."""
    heads = ["cpus", "scheme", *TITLES.values(), *HOST_TITLES]
    body = []
    for row in rows:
        cells = [row.cpus, row.scheme]
        for measure in TITLES:
            value = row.values[measure]
            error = row.errors.get(measure)
            text = "-" if value is None else f"{value:,}"
            if error is not None and row.scheme != REFERENCE:
                text = f"{text} ({format_error(error[0])})"
            cells.append(text)
        cells.extend(host_cells(row))
        body.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    lines = "\n".join(f"<tr>{cells}</tr>" for cells in body)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f"<title>{escape(name)}: accuracy of schemes</title>\n"
        "<style>body{font:14px sans-serif;margin:2em;color:#222;background:#fff}"
        "svg{max-width:100%;height:auto}table{border-collapse:collapse;margin-top:1em}"
        "td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}"
        "td:nth-child(2),th:nth-child(2){text-align:left}</style></head><body>\n"
        f"{tradeoff_svg(name, rows)}"
        "<p>Times are in virtual ns; in brackets the error against exact. Wall and speed are those "
        "of the host.</p>\n"
        f"<table>\n<tr>{head}</tr>\n{lines}\n</table>\n</body></html>\n"
    )
