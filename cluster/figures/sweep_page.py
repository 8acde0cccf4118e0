"""The page of a sweep: curves with bands, their numbers, what ran, and what it was told to run.

One file that needs no network and no script, in the style of a run's page.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import yaml

from cluster.figures.charts import SHAPES, chart, spot_words
from cluster.figures.curves import Curves, Panel, not_drawn
from cluster.figures.library import COLOURS
from cluster.page.document import document, heading
from cluster.report.sweep import shown
from cluster.report.units import counted
from cluster.sweep.differences import Sample

#: instead of the darkest colours, where the page is dark
_DARK: Final = {0: "#4aa3df", 7: "#e6e8ea"}
_MOST_ROWS: Final = 2000  # of the table of all runs
_STYLE: Final = """
.drawings { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); }
.drawings figure { margin: 0.2rem 1rem 0 0; } h3 { font-size: 1rem; margin: 1rem 0 0; }
.chart { width: 100%; } .grid { stroke: var(--line); } .edge { stroke: var(--faint); fill: none; }
.lines svg { width: 1.3em; height: 0.9em; margin-right: 0.35em; } .wide { overflow-x: auto; }
.wide:focus-visible, summary:focus-visible { outline: 3px solid var(--focus); }
"""


def make_sweep_page(manifest: Mapping[str, Any], sample: Sample, curves: Curves) -> str:
    """Return the page of a sweep.

    Args:
        manifest: of the sweep.
        sample: its points, those that are shown.
        curves: what is drawn of them.
    """
    name = str(manifest.get("name", "sweep"))
    parts = [
        _head(name, manifest, sample),
        _curves(curves),
        _numbers(curves),
        _runs(sample),
        _texts(manifest),
        _manifest(manifest),
    ]
    return document(name, parts, style=_colours() + _STYLE)


def _colours() -> str:
    """Return the colours of lines, on light paper and on dark."""
    light = "".join(f"--line-{place}:{colour};" for place, colour in enumerate(COLOURS))
    dark = "".join(f"--line-{place}:{colour};" for place, colour in _DARK.items())
    return f":root{{{light}}}@media (prefers-color-scheme: dark){{:root{{{dark}}}}}"


def _head(name: str, manifest: Mapping[str, Any], sample: Sample) -> str:
    seeds = {seed for cell in sample.cells.values() for seed in cell}
    runs = sum(map(len, sample.cells.values()))
    of = counted(len(sample.cells), "combination")
    failed = f", {sample.failed} without a result" if sample.failed else ""
    complete = "" if manifest.get("complete") else " (the sweep is not complete)"
    lines = [
        ("points", f"{counted(runs, 'run')} of {of}{failed}{complete}"),
        ("axes", ", ".join(manifest["axes"])),
        ("seeds", f"{len(seeds)}" if len(seeds) > 1 else "one"),
        ("begun", str(manifest.get("started", ""))),
    ]
    return heading(name, lines)


def _curves(curves: Curves) -> str:
    notes = []
    if curves.banded:
        notes.append("Points are means over the seeds, bands their 95 % intervals (Student's t).")
    if curves.left_out:
        notes.append(f"{not_drawn(curves.left_out)}; the numbers below have them.")
    if not curves.numbers:
        notes.append("What stands side by side has no order: no line leads from one to the next.")
    notes.append("The numbers are in the table below the drawings, and at each mark.")
    told = " ".join(notes)
    drawings = "".join(
        f"<div><h3>{escape(panel.measure)}</h3>{chart(panel, curves)}</div>"
        for panel in curves.panels
    )
    drawings = f'<div class="drawings">{drawings}</div>'
    return f'<section><h2>Curves</h2><p class="faint">{told}</p>{_key(curves)}{drawings}</section>'


def _key(curves: Curves) -> str:
    most = max(curves.panels, key=lambda panel: len(panel.lines))
    cells = "".join(
        f'<span><svg viewBox="-8 -6 16 12" aria-hidden="true"><path d="M-8,0H8" '
        f'stroke="var(--line-{number % len(COLOURS)})" stroke-width="1.8"/><path '
        f'd="{SHAPES[number % len(SHAPES)]}" fill="var(--line-{number % len(COLOURS)})"/></svg>'
        f"{escape(line.name)}</span>"
        for number, line in enumerate(most.lines)
        if line.name
    )
    return f'<p class="keys lines">{cells}</p>' if cells else ""


def _numbers(curves: Curves) -> str:
    tables = "".join(_panel_table(panel, curves) for panel in curves.panels)
    return f"<section><h2>Numbers of the curves</h2>{tables}</section>"


def _panel_table(panel: Panel, curves: Curves) -> str:
    heads = [curves.title, *(line.name or panel.measure for line in panel.lines)]
    rows = []
    for _, label in sorted(curves.ticks) if curves.numbers else curves.ticks:
        cells = [label]
        for line in panel.lines:
            spot = next((each for each in line.spots if each.label == label), None)
            cells.append("-" if spot is None else spot_words(panel, spot))
        rows.append(cells)
    return _open(f"<code>{escape(panel.measure)}</code>", _table(heads, rows, 1), is_open=True)


def _runs(sample: Sample) -> str:
    rows = [
        [*labels, str(seed), *(shown(name, found.get(name)) for name in sample.measures)]
        for labels, cell in sample.cells.items()
        for seed, found in cell.items()
    ]
    note = ""
    if len(rows) > _MOST_ROWS:
        note = f"<p>The first {_MOST_ROWS:,} of {len(rows):,}; the sweep's table has all.</p>"
        rows = rows[:_MOST_ROWS]
    heads = [*sample.axes, "seed", *sample.measures]
    made = note + _table(heads, rows, len(sample.axes))
    return f"<section><h2>Runs</h2>{_open('every run that has a result', made)}</section>"


def _texts(manifest: Mapping[str, Any]) -> str:
    texts = manifest.get("texts", {})
    shown_texts = "".join(
        _open(f"<code>{escape(name)}</code>", f"<pre>{escape(text)}</pre>")
        for name, text in texts.items()
    )
    return f"<section><h2>Configuration</h2>{shown_texts}</section>" if texts else ""


def _manifest(manifest: Mapping[str, Any]) -> str:
    left = {
        key: value
        for key, value in manifest.items()
        if key not in ("texts", "labels", "digests", "seeds")
    }
    text = yaml.safe_dump(left, sort_keys=True, allow_unicode=True)
    told = _open("versions, host, git state, files and their digests", f"<pre>{escape(text)}</pre>")
    return f"<section><h2>Manifest</h2>{told}</section>"


def _open(summary: str, inside: str, *, is_open: bool = False) -> str:
    word = " open" if is_open else ""
    return f"<details{word}><summary>{summary}</summary>{inside}</details>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Return a table, wider than the page if need be; all but ``left`` columns are numbers."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(cell)}</th>'
            if place < left
            else f'<td class="number">{escape(cell)}</td>'
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
