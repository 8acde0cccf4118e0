"""All mutations that there are, and what exploring shows of those of the shipped scenarios.

A row of the table is a scenario under one memory model. Runs of the mutated kernel are made until
one fails, as ``race run`` does. How often such runs fail is told by further ones: those that led to
the first bug ended with it, so they say too much. The kernel without the mutation makes as many.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from cluster.mutations.rewrite import admitted
from cluster.mutations.source import Edited, paths
from cluster.race.explore import Found, Plan, explore, hit_rate
from cluster.race.idle import reasons
from cluster.race.run import config_hash, question_hash
from cluster.race.scenario import CLEAN, FOUND, ScenarioFile, load_scenario
from cluster.race.shipped import scenario_names, scenario_path
from cluster.race.workers import Workers
from kernel.points import ACQUIRE, KIND_NAMES

BEGINS: Final = "<!-- mutants: smplab race mutants --table --into -->"
ENDS: Final = "<!-- mutants end -->"


@dataclass(frozen=True, slots=True)
class Mutable:
    """A point, and what can be made of it.

    Attributes:
        kind: as in ``points.KIND_NAMES``.
        place: ``file:line`` in the source.
        about: the object, as the source has it; empty if the point is about none.
        admits: ``drop``, ``weaken:HOW``, ``move``, ``swap``.
        beside: other points of its function, past which it can be moved, or be swapped with.
        idle: mutations of it that cannot matter, each with the reason.
    """

    name: str
    kind: str
    place: str
    function: str
    about: str
    admits: tuple[str, ...]
    beside: tuple[str, ...]
    idle: tuple[tuple[str, str], ...]


def mutables() -> list[Mutable]:
    """Return all points of the kernel, in the order of the source."""
    known = paths()
    edited = Edited()
    by_function: dict[tuple[str, str], list[str]] = {}
    for point in known.points.values():
        by_function.setdefault(point.key, []).append(point.name)
    return [
        Mutable(
            point.name,
            KIND_NAMES[point.kind],
            known.place(point),
            point.key[1],
            "" if point.about == "None" else point.about,
            tuple(admitted(edited, point.name)),
            tuple(name for name in by_function[point.key] if name != point.name),
            tuple(reasons(point.name, irq=point.kind == ACQUIRE)),
        )
        for point in known.points.values()
    ]


@dataclass(frozen=True, slots=True)
class Case:
    """A row to be made: a shipped scenario, under a model of which its file has the verdict."""

    name: str
    model: str
    expected: str
    loaded: ScenarioFile
    own: bool = True  # the model that the file itself is about

    @property
    def mutations(self) -> str:
        """What the kernel has of mutations."""
        return ", ".join(self.loaded.scenario.spec.mutations) or "none"


def cases() -> Iterator[Case]:
    """Yield a case for each verdict that the shipped scenarios' files have."""
    for name in scenario_names():
        loaded = load_scenario(scenario_path(Path(name)))
        own = loaded.scenario.spec.memory_model
        for model, verdict in loaded.verdicts.items():
            yield Case(name, model, verdict, loaded.changed(model=model), model == own)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is tried for a row.

    Attributes:
        runs: until the first bug; None: as the scenario says, or ``more`` where none is expected.
        more: runs for the hit rate, and of the kernel without mutations.
        time_s: of the host, for each of the three.
    """

    runs: int | None = None
    more: int = 200
    time_s: float | None = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """What exploring a case has shown.

    Attributes:
        found: CLEAN or FOUND.
        kind, signature, strategy: of the first bug, and whose run it was.
        first: which run that was, from 1; 0: none.
        runs: how many were made for it.
        failed, more: so many of so many further runs failed.
        unmutated: how many runs were made without the mutation; ``broken``: what one showed.
        finished: all runs were made; time did not end them.
    """

    case: Case
    found: str
    kind: str
    signature: str
    strategy: str
    first: int
    runs: int
    failed: int
    more: int
    unmutated: int
    broken: str
    finished: bool
    cut: Found | None = None

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the expected one and the kernel without the mutation is clean."""
        return self.found == self.case.expected and not self.broken


def row_of(
    case: Case, budget: Budget, who: Workers, progress: Callable[[str, int], None] | None = None
) -> Row:
    """Explore a case; inside ``following()``. What is cut off is not gone on with: ``Row.cut``.

    Args:
        progress: is told what is made and how many runs of it there are.
    """
    loaded = case.loaded
    runs = budget.runs or (loaded.runs if case.expected == FOUND else budget.more)

    def made(what: str, plan: Plan) -> Found:
        def tell(found: Found) -> None:
            if progress is not None:
                progress(what, found.runs)

        return explore(plan, who, tell)

    whole = Plan(loaded.scenario, runs=runs, time_s=budget.time_s)
    found = made("until a bug", whole)
    more, clean = Found(), Found()
    if found.bug is not None and not _is_cut(found):
        seed = whole.seed + found.runs
        rate = Plan(loaded.scenario, "portfolio", seed, budget.more, budget.time_s, stop=False)
        more = made("hit rate", rate)
    if not _is_cut(found) and not _is_cut(more):
        plain = loaded.changed(mutations=[]).scenario
        clean = made("without it", Plan(plain, runs=budget.more, time_s=budget.time_s))
    bug = found.bug
    parts = (found, more, clean)
    return Row(
        case,
        CLEAN if bug is None else FOUND,
        "" if bug is None else bug.verdict.kind,
        "" if bug is None else bug.verdict.signature,
        "" if bug is None else bug.strategy,
        0 if found.first is None else found.first + 1,
        found.runs,
        more.failed,
        more.runs,
        clean.runs,
        "" if clean.bug is None else clean.bug.verdict.signature,
        found.finished and clean.finished,
        next((one for one in parts if _is_cut(one)), None),
    )


def _is_cut(found: Found) -> bool:
    return found.interrupted or bool(found.lost)


def told(row: Row) -> str:
    """Return a row as a line."""
    case = row.case
    text = f"{case.name} ({case.model}), {case.mutations}: {row.found}"
    if row.found != case.expected:
        text += f", EXPECTED {case.expected}"
    if row.first:
        text += f": {row.kind} in run {row.first:,} ({row.strategy}), hit rate {_rate(row)}"
    else:
        text += f" in {row.runs:,} runs"
    if row.broken:
        return f"{text}; WITHOUT IT: {row.broken}"
    return f"{text}; without it clean in {row.unmutated:,} runs"


def _rate(row: Row) -> str:
    rate, low, high = hit_rate(row.failed, row.more)
    return f"{rate:.1%} ({low:.1%} to {high:.1%})"


def table(rows: Iterable[Row]) -> list[str]:
    """Return the lines of the table, in Markdown."""
    lines = [
        "| scenario | mutation | model | expected | found | in run | strategy | hit rate (95 %) | "
        "without it |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        case = row.case
        mutations = ", ".join(f"`{one}`" for one in case.loaded.scenario.spec.mutations)
        found = f"{row.found}: {row.kind}" if row.kind else row.found
        rate = _rate(row) if row.first else f"0 of {row.runs:,}"
        clean = row.broken or f"0 of {row.unmutated:,}"
        cells = (
            f"`{case.name}`",
            mutations or "none",
            case.model,
            case.expected,
            found,
            f"{row.first:,}" if row.first else "–",
            row.strategy or "–",
            rate,
            clean,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def put_table(text: str, rows: Iterable[Row]) -> str:
    """Return a document with the table between its marks.

    Raises:
        ValueError: it has no marks.
    """
    start, end = text.find(BEGINS), text.find(ENDS)
    if start < 0 or end < start:
        raise ValueError(f"has no lines {BEGINS} and {ENDS}")
    return text[: start + len(BEGINS)] + "\n" + "\n".join(table(rows)) + "\n" + text[end:]


def plain_point(point: Mutable) -> dict[str, object]:
    """Return a point as JSON has it."""
    return {
        "name": point.name,
        "kind": point.kind,
        "place": point.place,
        "function": point.function,
        "object": point.about,
        "admits": list(point.admits),
        "beside": list(point.beside),
        "idle": dict(point.idle),
    }


_KEPT: Final = tuple(
    each.name for each in fields(Row) if each.name not in ("case", "finished", "cut")
)


def row_kept(row: Row, budget: Budget, code: str) -> str:
    """Return a finished row as a line of a file; ``code``: of what makes it."""
    return json.dumps([_key(row.case, budget, code), [getattr(row, name) for name in _KEPT]])


def rows_kept(lines: Iterable[str], budget: Budget, code: str) -> dict[tuple[str, str], Row]:
    """Return the rows that a file has of this code and budget, by scenario and model.

    Raises:
        ValueError: it is no such file. A last line that was cut off is passed over.
    """
    known = {_key(case, budget, code): case for case in cases()}
    found = {}
    for line in lines:
        if not line.endswith("\n"):
            break
        row = json.loads(line)
        if not _is_row(row):
            raise ValueError("has rows of another kind")
        key, values = row
        case = known.get(key)
        if case is not None:
            found[case.name, case.model] = Row(case=case, finished=True, **dict(zip(_KEPT, values)))
    return found


def _is_row(row: object) -> bool:
    match row:
        case [str(), list(values)]:
            kinds = [each.type for each in fields(Row) if each.name in _KEPT]
            return [type(value) for value in values] == kinds
    return False


def _key(case: Case, budget: Budget, code: str) -> str:
    scenario = case.loaded.scenario
    told = (code, case.name, case.model, case.expected, question_hash(scenario).hex(), budget)
    return repr((*told, config_hash(scenario).hex(), case.loaded.runs))


def plain_row(row: Row) -> dict[str, object]:
    """Return a row as JSON has it."""
    rate, low, high = hit_rate(row.failed, row.more)
    return {
        "scenario": row.case.name,
        "mutations": list(row.case.loaded.scenario.spec.mutations),
        "model": row.case.model,
        "expected": row.case.expected,
        "found": row.found,
        "kind": row.kind,
        "signature": row.signature,
        "strategy": row.strategy,
        "first": row.first or None,
        "runs": row.runs,
        "hit_rate": {"rate": rate, "low": low, "high": high, "failed": row.failed, "of": row.more},
        "unmutated": {"runs": row.unmutated, "broken": row.broken},
        "finished": row.finished,
    }
