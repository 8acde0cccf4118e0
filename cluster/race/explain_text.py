"""An explanation in the terminal: a column for each CPU, a line for each step."""

from typing import Final

from cluster.race.explain import Explanation, Side
from cluster.race.layout import GIVEN, HELD, TAKEN, Layout, Row, access_told, lay_out
from cluster.race.run import CLEAN, RACE, Verdict

_LINES: Final = {HELD: "│", GIVEN: "┴"}
_PLAIN: Final = {HELD: "|", GIVEN: "'"}
_WIDEST: Final = 46  # characters of a column


def headline(told: Explanation) -> str:
    """Return what is wrong, in one line."""
    verdict = told.verdict
    if verdict.kind == RACE:
        return f"data race on {told.what}"
    first = verdict.text.split("\n", 1)[0].removeprefix(f"{verdict.kind}: ")
    return f"{verdict.kind}: {first}".rstrip(": ")


def as_text(told: Explanation, *, plain: bool = False) -> str:
    """Return the explanation as lines; ``plain``: of ASCII only."""
    lines = [headline(told), ""]
    lines += _table(lay_out(told), told.cpus, _PLAIN if plain else _LINES)
    lines += ["", *conclusions(told)]
    return "\n".join(lines) + "\n"


def _table(layout: Layout, cpus: list[int], marks: dict[str, str]) -> list[str]:
    cells = [[_cell(layout, row, cpu, marks) for cpu in cpus] for row in layout.rows]
    widths = []
    for column, cpu in enumerate(cpus):
        longest = max((len(row[column]) for row in cells), default=0)
        widths.append(min(max(longest, len(layout.headings[cpu])), _WIDEST))
    headings = [layout.headings[cpu].ljust(width) for cpu, width in zip(cpus, widths)]
    lines = [f" step  {'   '.join(headings)}".rstrip()]
    for row, texts in zip(layout.rows, cells):
        number = "" if row.step is None else str(row.step.number)
        columns = [text[:width].ljust(width) for text, width in zip(texts, widths)]
        line = f"{number:>5}  {'   '.join(columns)}"
        arrow = "<== " if row.mark in (1, 2) else ""
        notes = row.notes or ([""] if row.mark < 3 else ["it fails here"])
        for place, note in enumerate(notes):
            left = line if not place else " " * len(line)
            told = f"{arrow if not place else ' ' * len(arrow)}{note}"
            lines.append(f"{left}   {told}".rstrip())
    if layout.letters:
        names = ", ".join(f"{letter} {name}" for name, letter in layout.letters.items())
        lines += ["", f"locks: {names}"]
    return lines


def _cell(layout: Layout, row: Row, cpu: int, marks: dict[str, str]) -> str:
    bars = row.bars.get(cpu, {})
    step = row.step
    drawn = ""
    for place in range(layout.widths[cpu]):
        mark = bars.get(place)
        if mark == TAKEN and step is not None:
            drawn += layout.letter_at[step.number, cpu, place]
        else:
            drawn += marks.get(mark or "", " ") if mark != TAKEN else marks[HELD]
    text = ""
    if step is None:
        text = f"... {row.left_out} steps" if cpu == min(layout.widths) else ""
    elif step.cpu == cpu:
        text = step.name if layout.alone[cpu] else f"{step.who} {step.name}"
    return f"{drawn} {text}".rstrip() if drawn else text


def conclusions(told: Explanation) -> list[str]:
    """Return what follows from it: the pair, the invariant, the order to be turned round."""
    lines = []
    for name, side in (("first", told.first), ("second", told.second)):
        if side is not None:
            lines.append(f"{name + ':':10} {_side_told(told, side)}")
    if told.usual is not None:
        lock, having, total = told.usual
        lines.append(f"{'usually:':10} {having} of {total} steps that touch it hold {lock}")
    asked, before, after = told.invariant
    lines.append(f"{'must be:':10} {asked}")
    lines.append(f"{'before:':10} {before}")
    for place, line in enumerate(after.splitlines()):
        if line.startswith("  story of"):
            break  # the steps are told above
        lines.append(f"{'after:' if not place else '':10} {line}")
    for place, line in enumerate(order_told(told)):
        lines.append(f"{'order:' if not place else '':10} {line}")
    return lines


def _side_told(told: Explanation, side: Side) -> str:
    where = f" in {side.where}()" if side.where else ""
    locks = ", ".join(side.locks) if side.locks else "no lock"
    dropped = f" ({side.dropped} is dropped by a mutation)" if side.dropped else ""
    return (
        f"step {side.step}, cpu {side.cpu}, {side.who} {access_told(told, side)}{where}, "
        f"holding {locks}{dropped}"
    )


def _shown(verdict: Verdict) -> str:
    if verdict.kind == CLEAN:
        return "clean"
    return (
        verdict.signature
        if verdict.signature == verdict.kind
        else (f"{verdict.kind} ({verdict.signature})")
    )


def order_told(told: Explanation) -> list[str]:
    """Return which order has to be turned round, or why none does."""
    turned, first, second = told.turned, told.first, told.second
    if turned is None or first is None or second is None:
        if told.loop:
            return told.loop
        return ["no two steps were found whose order turned round makes the run clean"]
    pair = f"step {second.step} ({second.point}) before step {first.step} ({first.point})"
    if not turned.happened:
        return [f"{pair}: not by holding up {first.who}; the second may need the first"]
    if told.verdict.kind != RACE:
        so = f"so something must keep {first.point} of {first.who} from going first"
        return [
            f"{pair}: the run is clean; this is the order to be turned round",
            *(told.late or [so]),
        ]
    lines = []
    if turned.verdict.kind == CLEAN:
        lines.append(f"{pair}: the run is clean; this is the order to be turned round")
    elif turned.verdict.kind == RACE:
        lines.append(f"{pair}: a data race, too; both orders need a lock, or something that orders")
    else:
        lines.append(f"{pair}: {_shown(turned.verdict)}")
    if turned.passed is not None and turned.as_it_was is not None:
        one, other = _shown(turned.as_it_was), _shown(turned.passed)
        if one == other:
            lines.append(f"if the race is let pass, either order ends alike: {one}")
        else:
            lines.append(f"if the race is let pass: {one} in this order, {other} in the other")
    return lines
