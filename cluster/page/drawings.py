"""Small drawings that need no script: SVG inside the page, each with its text."""

from collections.abc import Sequence
from html import escape
from typing import Final

_WIDTH: Final = 640
_HEIGHT: Final = 150
_LEFT: Final = 46  # room for numbers
_BELOW: Final = 22


def shown_ns(value: float) -> str:
    """Return a time with the unit that fits: 870 ns, 1.41 us, 23.8 ms."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} ns"


def histogram(name: str, rows: Sequence[tuple[int, int, int]], largest: int) -> str:
    """Return bars of a histogram over a logarithmic axis, and the share below as a line.

    Args:
        name: what was measured.
        rows: least and largest time of a bucket, and its count.
        largest: the largest time.
    """
    total = sum(count for *_, count in rows)
    if not total:
        return f"<p>{escape(name)}: none.</p>"
    most = max(count for *_, count in rows)
    step = (_WIDTH - _LEFT - 8) / len(rows)
    bars, line, below = [], [], 0
    for place, (low, high, count) in enumerate(rows):
        left = _LEFT + place * step
        below += count
        line.append(f"{left + step:.1f},{_y(below / total):.1f}")
        if count:
            top = _y(count / most)
            told = f"{shown_ns(low)} to {shown_ns(high)}: {count:,}"
            bars.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{max(step - 1, 0.5):.1f}" '
                f'height="{_HEIGHT - top:.1f}" class="bar"><title>{told}</title></rect>'
            )
    every = max(1, len(rows) // 6)
    marks = "".join(
        f'<text x="{_LEFT + place * step:.1f}" y="{_HEIGHT + 15}">{shown_ns(rows[place][0])}</text>'
        for place in range(0, len(rows), every)
    )
    told = (
        f"{name}: {total:,}, half of them below {shown_ns(_share(rows, total, 0.5))}, "
        f"99 % below {shown_ns(_share(rows, total, 0.99))}, the longest {shown_ns(largest)}"
    )
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT + _BELOW}" role="img" '
        f'aria-label="{escape(told)}">{"".join(bars)}'
        f'<polyline class="share" points="{" ".join(line)}"/>{marks}'
        f'<text x="2" y="12">{most:,}</text><text x="2" y="{_HEIGHT}">0</text></svg>'
        f"<figcaption>{escape(told)}. Bars: how many; line: the share that took no longer."
        "</figcaption></figure>"
    )


def bars(rows: Sequence[tuple[str, int, str]]) -> str:
    """Return a table with a bar in each row.

    Args:
        rows: name, value, and what is written for it.
    """
    most = max((value for _, value, _ in rows), default=0) or 1
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="number">{escape(told)}</td>'
        f'<td class="long"><span class="fill" style="width:{100 * value / most:.1f}%"></span></td>'
        "</tr>"
        for name, value, told in rows
    )
    return f"<table>{cells}</table>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; all columns but the first are numbers."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="number">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _y(share: float) -> float:
    return _HEIGHT - share * (_HEIGHT - 14)


def _share(rows: Sequence[tuple[int, int, int]], total: int, share: float) -> int:
    """Return a time below which so large a share is: the end of its bucket."""
    below = 0
    for _, high, count in rows:
        below += count
        if below >= share * total:
            return high
    return rows[-1][1]
