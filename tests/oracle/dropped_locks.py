"""Every lock that a path takes is left out, and the race laboratory asked whether it sees that.

For each acquisition in the kernel's source the scenarios of ``race_soak`` in which it happens are
run without it, until there is a report; the same schedule with the lock must show nothing, and no
run of the kernel as it is may have shown the like. The table in docs/races-locks.md has for each
lock the first such run. Locks of ``IDLE_LOCKS`` are not asked for: dropping them does nothing here.

Usage: python -m tests.oracle.dropped_locks [--rounds N] [--only LOCK]... [--scenario NAME]...
           [--write]
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

from cluster.point_names import point_kinds
from cluster.race.guards import IDLE_LOCKS
from cluster.race.run import CLEAN, Control, Run, run_once
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import Watch, following
from kernel.points import ACQUIRE, READ
from tests.oracle.race_soak import CPUS, NAMES, Case

PAGE = Path(__file__).resolve().parents[2] / "docs" / "races-locks.md"
LOOKS = 14  # runs in which a scenario may take a lock
_ROW = re.compile(r"\| `([^`]+)` \| ([^ ]+) \| (\d+) \| (\w+) \| (\d+) \| (.*) \|\Z")

_HEAD = """# Dropped locks

Each acquisition of a lock in the kernel's source, and a run that shows that it is missing when a
mutation drops it: the first one found. The same schedule with the lock shows nothing. Made by
`python -m tests.oracle.dropped_locks --write`; tests hold it to the code.

{found} of {all} acquisitions are found ({share} %). The others do nothing that matters here:

{idle}

| lock | scenario | CPUs | strategy | seed | report |
|---|---|---|---|---|---|
"""


def locks() -> list[str]:
    """Return the points that take a lock, in the order of the source."""
    return [name for name, kind in point_kinds().items() if kind in (ACQUIRE, READ)]


@dataclass(frozen=True, slots=True)
class Found:
    """A lock, and a run that shows that it was dropped."""

    lock: str
    case: Case
    report: str


def run_of(case: Case, dropped: str = "") -> Run:
    """Make a run, inside ``following()``."""
    scenario = case.scenario()
    if dropped:
        scenario = replace(scenario, spec=replace(scenario.spec, mutations=(dropped,)))
    strategy = STRATEGIES[case.strategy](Random(case.number), Learned())
    return run_once(scenario, Control(scenario, strategy), seed=case.number, watch=Watch())


def report_of(run: Run) -> str:
    """Return what a run shows, as the table has it."""
    verdict = run.verdict
    return "" if verdict.kind == CLEAN else f"{verdict.kind}: {verdict.signature}".replace("|", "/")


def cases(name: str, rounds: int) -> Iterator[Case]:
    """Yield the runs of a scenario that are tried."""
    strategies = tuple(STRATEGIES)
    for number in range(rounds):
        strategy = strategies[number % len(strategies)]
        yield Case(number, name, CPUS[number % len(CPUS)], "sc", strategy)


def shown(lock: str, case: Case, rounds: int) -> Found | None:
    """Return a run that shows a dropped lock: that one, or another of the same scenario."""
    for one in (case, *cases(case.name, rounds)):
        report = report_of(run_of(one, lock))
        if report and not report_of(run_of(one)):
            return Found(lock, one, report)
    return None


class Search:
    """Looks for runs that show a dropped lock.

    Attributes:
        takers: lock -> scenarios that take it, the shortest first.
        known: what the kernel as it is has shown.
    """

    def __init__(self, rounds: int, names: Iterable[str] = NAMES) -> None:
        self.rounds = rounds
        self.known: set[str] = set()
        lengths: dict[str, list[tuple[int, str]]] = {}
        for name in names:
            runs = [run_of(case) for case in cases(name, LOOKS)]
            self.known |= {report_of(run) for run in runs}
            length = max(len(run.names) for run in runs)
            for lock in {point for run in runs for point in run.names}:
                lengths.setdefault(lock, []).append((length, name))
        self.takers = {lock: [name for _, name in sorted(found)] for lock, found in lengths.items()}
        self.known.discard("")

    def find(self, lock: str) -> Found | None:
        """Return the first run that shows that ``lock`` was dropped."""
        for round_ in zip(*(cases(name, self.rounds) for name in self.takers.get(lock, ()))):
            for case in round_:
                report = report_of(run_of(case, lock))
                if not report or report in self.known:
                    continue
                without = report_of(run_of(case))
                if not without:
                    return Found(lock, case, report)
                self.known.add(without)
        return None


def page(found: Iterable[Found]) -> str:
    """Return docs/races-locks.md."""
    by_lock = {one.lock: one for one in found}
    names = [name for name in locks() if name not in IDLE_LOCKS]
    rows = [by_lock[name] for name in names if name in by_lock]
    idle = "\n".join(f"- `{name}`: {why}" for name, why in sorted(IDLE_LOCKS.items()))
    count = len(locks())
    head = _HEAD.format(found=len(rows), all=count, share=len(rows) * 100 // count, idle=idle)
    return head + "".join(
        f"| `{one.lock}` | {one.case.name} | {one.case.cpus} | {one.case.strategy} "
        f"| {one.case.number} | {one.report} |\n"
        for one in rows
    )


@cache
def listed() -> tuple[Found, ...]:
    """Return the rows of docs/races-locks.md."""
    found = []
    for line in PAGE.read_text("utf-8").splitlines():
        row = _ROW.match(line)
        if row:
            lock, name, cpus, strategy, number, report = row.groups()
            found.append(Found(lock, Case(int(number), name, int(cpus), "sc", strategy), report))
    return tuple(found)


def main() -> int:
    """Search, and print what is found and what is not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=28)
    parser.add_argument("--only", action="append", default=[], metavar="LOCK")
    parser.add_argument("--scenario", action="append", default=[], metavar="NAME")
    parser.add_argument("--write", action="store_true", help="write docs/races-locks.md")
    args = parser.parse_args()
    wanted = args.only or [name for name in locks() if name not in IDLE_LOCKS]
    old = {one.lock: one for one in listed()} if PAGE.exists() else {}
    missed = []
    with following():
        again = {}
        for lock in wanted:  # what was found before is only made again
            one = old.get(lock)
            if one is not None and one.case.name in NAMES:
                found = shown(lock, one.case, args.rounds)
                if found is not None:
                    again[lock] = found
        left = [lock for lock in wanted if lock not in again]
        search = Search(args.rounds, args.scenario or NAMES) if left else None
        for report in sorted(search.known if search else ()):
            print(f"unmutated: {report}", flush=True)
        for lock in left:
            found = search.find(lock) if search else None
            takers = search.takers.get(lock, []) if search else []
            if found is None:
                missed.append(lock)
                print(f"not found: {lock}, taken by {', '.join(takers) or 'none'}", flush=True)
            else:
                again[lock] = found
                case = found.case
                print(f"{lock}: {case.name} {case.strategy} {case.number}: {found.report}")
    print(f"{len(again)} of {len(wanted)} found")
    if args.write:
        kept = old if args.only or args.scenario else {}
        PAGE.write_text(page({**kept, **again}.values()), "utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
