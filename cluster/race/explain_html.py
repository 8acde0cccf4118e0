"""An explanation as one HTML page, which needs no other file and no script."""

from html import escape
from typing import Final

from cluster.race.explain import Explanation
from cluster.race.explain_text import conclusions, headline
from cluster.race.layout import GIVEN, TAKEN, Layout, Row, lay_out

# of the bars of locks, by letter; one after the other
_COLOURS: Final = (
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bb7733", "#777777",
)  # fmt: skip

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; }
h1 { font-size: 1.3rem; }
table { border-collapse: collapse; font-family: ui-monospace, monospace; font-size: 13px; }
th, td { padding: 0 .6rem; text-align: left; vertical-align: top; height: 1.6em; }
th { border-bottom: 1px solid #888; }
td.number { text-align: right; color: #888; }
td.bar { padding: 0 2px; min-width: 12px; color: #fff; text-align: center; font-size: 11px; }
td.bar span { display: block; margin: 0 auto; width: 12px; height: 1.6em; }
td.bar span.taken { border-radius: 6px 6px 0 0; }
td.bar span.given { border-radius: 0 0 6px 6px; height: .8em; }
tr.pair td { background: #ee667733; }
tr.pair td.step { font-weight: bold; }
tr.fails td { border-bottom: 2px solid #ee6677; }
ul.locks { list-style: none; padding: 0; }
ul.locks span { display: inline-block; width: 1.4em; text-align: center; color: #fff;
  margin-right: .5em; border-radius: 3px; }
pre { white-space: pre-wrap; }
"""


def as_html(told: Explanation) -> str:
    """Return the page."""
    layout = lay_out(told)
    cpus = told.cpus
    head = "".join(
        f'<th colspan="{layout.widths[cpu] + 1}" scope="col">{escape(layout.headings[cpu])}</th>'
        for cpu in cpus
    )
    rows = "\n".join(_row(layout, row, cpus) for row in layout.rows)
    title = escape(headline(told))
    scenario = escape(told.scenario.name)
    spec = told.scenario.spec
    mutated = f", mutated: {escape(', '.join(spec.mutations))}" if spec.mutations else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{scenario}: {title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p>{scenario}: {spec.cpus} CPUs, {escape(spec.memory_model)}{mutated};
{len(told.steps)} steps, shown from step {told.begin}.</p>
<table>
<thead><tr><th scope="col">step</th>{head}<th scope="col"></th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
{_legend(layout)}
<pre>{escape(chr(10).join(conclusions(told)))}</pre>
</body>
</html>
"""


def _colour(layout: Layout, letter: str) -> str:
    letters = list(layout.letters.values())
    return _COLOURS[letters.index(letter) % len(_COLOURS)] if letter in letters else "#777777"


def _legend(layout: Layout) -> str:
    items = "".join(
        f'<li><span style="background:{_colour(layout, letter)}">{escape(letter)}</span>'
        f"{escape(name)}</li>"
        for name, letter in layout.letters.items()
    )
    return f'<ul class="locks">{items}</ul>' if items else ""


def _row(layout: Layout, row: Row, cpus: list[int]) -> str:
    step = row.step
    if step is None:
        columns = sum(layout.widths[cpu] + 1 for cpu in cpus) + 2
        return f'<tr><td colspan="{columns}">… {row.left_out} steps</td></tr>'
    cells = [f'<td class="number">{step.number}</td>']
    for cpu in cpus:
        bars = row.bars.get(cpu, {})
        for place in range(layout.widths[cpu]):
            mark = bars.get(place)
            if mark is None:
                cells.append('<td class="bar"></td>')
                continue
            letter = layout.letter_at.get((step.number, cpu, place), "")
            text = escape(letter) if mark == TAKEN else ""
            kind = {TAKEN: "taken", GIVEN: "given"}.get(mark, "held")
            cells.append(
                f'<td class="bar"><span class="{kind}" '
                f'style="background:{_colour(layout, letter)}">{text}</span></td>'
            )
        text = ""
        if step.cpu == cpu:
            text = step.name if layout.alone[cpu] else f"{step.who} {step.name}"
        cells.append(f'<td class="step">{escape(text)}</td>')
    notes = "<br>".join(escape(note) for note in row.notes)
    kinds = {1: "pair", 2: "pair", 3: "fails"}
    cells.append(f"<td>{notes}</td>")
    mark = f' class="{kinds[row.mark]}"' if row.mark else ""
    return f"<tr{mark}>{''.join(cells)}</tr>"
