"""The rows of an explanation: who steps on which CPU, and which locks each CPU has meanwhile."""

from dataclasses import dataclass, field
from typing import Final

from cluster.race.explain import Explanation, Side
from cluster.race.recorder import Step, Touch

TAKEN: Final = "taken"
HELD: Final = "held"
GIVEN: Final = "given"

_MOST_ROWS: Final = 48  # with more, what has nothing to do with the pair is left out


@dataclass(slots=True)
class Row:
    """One step, or several that are left out.

    Attributes:
        step: None: ``left_out`` steps are not shown.
        bars: CPU -> place of a lock among those of this CPU -> one of TAKEN, HELD, GIVEN.
        notes: what is to be said of the step.
        mark: 1, 2: it is the first or the second of the pair; 3: the run fails here.
    """

    step: Step | None
    bars: dict[int, dict[int, str]]
    notes: list[str] = field(default_factory=list)
    mark: int = 0
    left_out: int = 0


@dataclass(slots=True)
class Layout:
    """All rows.

    Attributes:
        letters: of locks, by name.
        widths: CPU -> how many places for bars there are beside its steps.
        headings: CPU -> who steps there.
        alone: CPU -> it is only one task.
    """

    rows: list[Row]
    letters: dict[str, str]
    widths: dict[int, int]
    headings: dict[int, str]
    alone: dict[int, bool]
    letter_at: dict[tuple[int, int, int], str]  # step, CPU, place -> letter of the lock there


def lay_out(told: Explanation) -> Layout:
    """Return the rows of an explanation."""
    letters: dict[str, str] = {}
    letter_at: dict[tuple[int, int, int], str] = {}
    widths = dict.fromkeys(told.cpus, 0)  # of what is shown
    places: dict[int, dict[str, int]] = {cpu: {} for cpu in told.cpus}
    rows = []
    for step in told.steps:
        if step.number == told.begin:
            widths = {
                cpu: max((place + 1 for place in held.values()), default=0)
                for cpu, held in places.items()
            }
        bars = _bars(step, places, widths)
        if step.number < told.begin:
            _give_back(step, places)
            continue
        for cpu, held in places.items():
            for name, place in held.items():
                letter_at[step.number, cpu, place] = _letter(letters, name)
        _give_back(step, places)
        rows.append(Row(step, bars, _notes(told, step), _mark(told, step)))
    headings, alone = {}, {}
    for cpu in told.cpus:
        who = list(dict.fromkeys(step.who for step in told.shown if step.cpu == cpu))
        headings[cpu] = f"cpu {cpu}: {', '.join(who)}"
        alone[cpu] = len(who) == 1
    return Layout(_folded(told, rows), letters, widths, headings, alone, letter_at)


def _bars(
    step: Step, places: dict[int, dict[str, int]], widths: dict[int, int]
) -> dict[int, dict[int, str]]:
    """Return the bars beside a step; places of locks it takes are found, none is given back."""
    cpu = step.cpu
    if cpu not in places:
        return {}
    mine = places[cpu]
    held = [lock.name for lock in step.held]
    for name in [name for name in mine if name not in held and step.kind == "enter"]:
        del mine[name]  # another task, with locks of its own
    marks: dict[str, str] = {name: HELD if name in held else GIVEN for name in mine}
    for name in held:
        if name not in mine:
            used = set(mine.values())
            mine[name] = next(place for place in range(len(used) + 1) if place not in used)
            marks[name] = TAKEN
    bars = {cpu: {mine[name]: mark for name, mark in marks.items()}}
    widths[cpu] = max([widths[cpu], *(place + 1 for place in mine.values())])
    for other, theirs in places.items():
        if other != cpu:
            bars[other] = dict.fromkeys(theirs.values(), HELD)
    return bars


def _give_back(step: Step, places: dict[int, dict[str, int]]) -> None:
    held = {lock.name for lock in step.held_after}
    mine = places.get(step.cpu, {})
    for name in [name for name in mine if name not in held]:
        del mine[name]


def _letter(letters: dict[str, str], name: str) -> str:
    known = letters.get(name)
    if known is None:
        number = len(letters)
        known = letters[name] = chr(65 + number) if number < 26 else "*"
    return known


def _mark(told: Explanation, step: Step) -> int:
    if told.first is not None and step.number == told.first.step:
        return 1
    if told.second is not None and step.number == told.second.step:
        return 2
    return 3 if step.number == len(told.steps) else 0


def _notes(told: Explanation, step: Step) -> list[str]:
    notes = []
    side = {1: told.first, 2: told.second}.get(_mark(told, step))
    if side is not None:
        which = "1st" if side is told.first else "2nd"
        notes.append(f"{which}: {access_told(told, side)}")
    else:
        notes += [_touch_told(touch) for touch in step.touches if touch.name == told.what]
    if step.dropped:
        notes.append("takes no lock: a mutation drops it")
    if step.waits:
        notes.append(f"waits for {step.about}")
    return notes


def access_told(told: Explanation, side: Side) -> str:
    """Return what one of the two does, and the values before and after."""
    if side.write:
        how = f"writes {told.what}"
        return f"{how}: {side.before} -> {side.after}" if side.before or side.after else how
    if told.what.endswith("lock") and not side.before:
        return f"comes to {told.what}"
    return f"reads {told.what}: {side.before}" if side.before else f"reads {told.what}"


def _touch_told(touch: Touch) -> str:
    if not touch.write:
        return f"reads {touch.name}: {touch.before}"
    return f"writes {touch.name}: {touch.before} -> {touch.after}"


def _folded(told: Explanation, rows: list[Row]) -> list[Row]:
    """Leave out steps of long stories that nothing is said of."""
    if len(rows) <= _MOST_ROWS:
        return rows
    count = len(rows)
    kept = set(range(count - 3, count)) | set(range(3))
    for place, row in enumerate(rows):
        if row.mark:
            kept.update(range(place - 2, place + 3))
        if row.notes:
            kept.add(place)
        before = rows[place - 1].step if place else None
        if row.step is not None and before is not None and row.step.actor != before.actor:
            kept.update((place - 1, place))
    folded: list[Row] = []
    for place, row in enumerate(rows):
        if place in kept:
            folded.append(row)
        elif folded and folded[-1].step is None:
            folded[-1].left_out += 1
        else:
            folded.append(Row(None, row.bars, left_out=1))
    return folded
