"""Every mutation of every named point is looked for, in every program that passes the point.

A mutation drops or weakens a point in each way that it admits, moves it past the next or the last
point of its function, or swaps it with the next; what is refused, and what makes the same code as
another, is none. ``cluster.race.hunt`` looks for each, as ``smplab race mutants --only`` does.
docs/races-mutations.md has for each the first run that shows it, or the reason why it cannot
matter, or that it is open: how many runs have not shown it.

Usage: python -m tests.oracle.mutations [--seconds S] [--in-all S] [--runs N] [--action A]...
           [--only MUTATION]... [--sample N --seed S] [--again] [--count] [--write]
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from cluster.mutations.changed import wrong_mutations
from cluster.mutations.rewrite import apply, nameless
from cluster.mutations.source import Edited
from cluster.race.hunt import Hunt, Hunter
from cluster.race.idle import reason
from cluster.race.mutants import Mutable, mutables
from cluster.race.watch import following
from kernel.drive.mutations import ACTIONS, DROP, MOVE, SWAP, WEAKEN, parse
from kernel.errors import BadMutation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "races-mutations.md"
FOUND, REASON, OPEN = "found", "reason", "open"
_ROW = re.compile(r"\| `([^`]+)` \| (found|reason|open) \| (.*) \|\Z")

_HEAD = """# Mutations

Every mutation of every named point: dropped, weakened in each way it admits, moved past the next
or the last point of its function, swapped with the next. What is refused as making no sense is left
out, and what makes the same code as another. For each the first run that shows it, of
`smplab race mutants --only MUTATION`: program, CPUs, memory model, strategy and which run it was;
or why it cannot matter; or, of those that are open, how many runs of how many programs have not
shown it. Made by `python -m tests.oracle.mutations --write`; tests hold the list to the code.

| | found | reason | open | all |
|---|---|---|---|---|
{counts}

| mutation | | |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A mutation; ``state``: FOUND, REASON or OPEN; ``told``: where, why, or how much was tried."""

    mutation: str
    state: str
    told: str


def pointwise(point: Mutable) -> list[str]:
    """Return the mutations of a point by itself: how it is dropped and weakened."""
    found = [f"{DROP}:{point.name}"] if DROP in point.admits else []
    for one in point.admits:
        action, _, how = one.partition(":")
        if action == WEAKEN:
            found.append(f"{WEAKEN}:{point.name}:{how}")
    return found


def moves() -> Iterator[str]:
    """Yield the moves and swaps, in the order of the source."""
    by_function: dict[tuple[str, str], list[str]] = {}
    for point in mutables():
        file = point.place.partition(":")[0]
        by_function.setdefault((file, point.function), []).append(point.name)
    for names in by_function.values():
        seen: set[str] = set()
        for one, other in pairwise(names):
            for text in (
                f"{MOVE}:{one}:after:{other}",
                f"{MOVE}:{other}:before:{one}",
                f"{SWAP}:{one}:{other}",
            ):
                code = _code(text)
                if code and code not in seen:
                    seen.add(code)
                    yield text


def _code(text: str) -> str:
    """Return the code that a mutation makes; an empty string if it is refused."""
    edited = Edited()
    try:
        apply(edited, parse(text))
    except BadMutation:
        return ""
    return "".join(map(nameless, edited.functions.values()))


def mutations() -> list[str]:
    """Return all of them, in the order of the source: by points, then moves and swaps."""
    every = mutables()
    return [
        *(
            text
            for point in every
            for text in pointwise(point)
            if not list(wrong_mutations([text]))
        ),
        *moves(),
    ]


def row_of(done: Hunt) -> Row:
    """Return what was found as a row."""
    if done.shown is not None:
        run, spec = done.shown.run, done.shown.loaded.scenario.spec
        where = f"{done.shown.path.name}, {spec.cpus}, {spec.memory_model}, {run.strategy}"
        verdict = f"{run.verdict.kind}: {run.verdict.signature}".replace("|", "/")
        return Row(done.mutation, FOUND, f"{where}, {done.runs}: {verdict}")
    if done.reason:
        return Row(done.mutation, REASON, done.reason)
    return Row(done.mutation, OPEN, f"{done.runs} runs of {len(done.programs)} programs")


def page(rows: Iterable[Row]) -> str:
    """Return docs/races-mutations.md."""
    rows = list(rows)
    counts = Counter((parse(row.mutation).action, row.state) for row in rows)
    lines = []
    for action in ACTIONS:
        each = [counts[action, state] for state in (FOUND, REASON, OPEN)]
        lines.append(f"| {action} | {' | '.join(map(str, [*each, sum(each)]))} |")
    head = _HEAD.format(counts="\n".join(lines))
    return head + "".join(f"| `{row.mutation}` | {row.state} | {row.told} |\n" for row in rows)


def listed() -> list[Row]:
    """Return the rows of docs/races-mutations.md."""
    if not PAGE.exists():
        return []
    matches = map(_ROW.match, PAGE.read_text("utf-8").splitlines())
    return [Row(*match.groups()) for match in matches if match]


def main() -> int:
    """Look for those that are asked for and print what is found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU time, for each")
    parser.add_argument("--in-all", type=float, default=float("inf"), help="seconds for all")
    parser.add_argument("--runs", type=int, default=20_000, help="for each")
    parser.add_argument("--action", action="append", default=[], choices=ACTIONS)
    parser.add_argument("--only", action="append", default=[], metavar="MUTATION")
    parser.add_argument("--sample", type=int, default=0, help="so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="those that are found, too")
    parser.add_argument("--write", action="store_true", help="write docs/races-mutations.md")
    parser.add_argument("--count", action="store_true", help="look for none")
    args = parser.parse_args()
    every = mutations()
    rows = {row.mutation: row for row in listed()}
    wanted = args.only or [
        one for one in every if not args.action or one.split(":")[0] in args.action
    ]
    if args.sample:
        wanted = Random(args.seed).sample(wanted, min(args.sample, len(wanted)))
    elif not args.again and not args.only:
        wanted = [one for one in wanted if one not in rows or rows[one].state == OPEN]
    if args.count:
        wanted = []
    ends = time.monotonic() + args.in_all
    made = []
    with following():
        hunter = Hunter(clock=time.process_time)
        for text in wanted:
            if time.monotonic() >= ends:
                break
            row = row_of(hunter.hunt(text, args.runs, args.seconds))
            rows[text] = row
            made.append(row)
            print(f"{row.mutation}: {row.state}: {row.told}", flush=True)
    print(dict(Counter(row.state for row in made)), f"of {len(every)}")
    if args.write:
        none = Row("", OPEN, "not looked for yet")
        whole = []
        for text in every:
            why = reason(parse(text))
            row = rows.get(text, none)
            whole.append(Row(text, REASON, why) if why else Row(text, row.state, row.told))
        PAGE.write_text(page(whole), "utf-8")
    return 1 if any(row.state == OPEN for row in made) else 0


if __name__ == "__main__":
    sys.exit(main())
