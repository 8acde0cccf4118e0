"""The kernel as it is, certified scenario by scenario: docs/races-proofs.md.

Each scenario of configs/races is proved without its mutations, under ``sc`` and, if that is ``tso``
or ``pso``, under its own memory model; scenarios that ask the same of the same program are one.
First all orders of steps are tried, for so many seconds; if some are left, those with no preemption
at all, with one, two, three, until the seconds are over. Each row says how far that came.

Usage: python -m tests.oracle.proofs [--only SCENARIO]... [--model MODEL] [--seconds S] [--jobs N]
           [--write] [--new] [--check]
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path

from cluster.race.prove import Proof, prove
from cluster.race.run import Scenario, config_hash, question_hash
from cluster.race.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "races-proofs.md"
FILES = sorted((ROOT / "configs" / "races").glob("*.yaml"))
MOST_PREEMPTIONS = 3
QUICK = 1_200  # runs of the certificates that the suite makes again, all together
BEGUN = 12  # runs of the estimate that each begins with

ALL = "all orders"
NONE = "none"
_ROW = re.compile(r"\| ([^|]+) \| (\w+) \| (all orders|none|<= \d+) \| ([\d,]*) \| ([^|]*) \|\Z")

_HEAD = """# Certified scenarios

What `smplab race prove SCENARIO --unmutated --model MODEL` has certified of the kernel as it is:
every order of steps of the scenario that can matter is clean, or every one with so many preemptions
at most (`--preemptions N`), as [races.md](races.md#prove) has it. *Runs* is how many that took when
the row was made. The last column says what was tried beyond that and not brought to an end.
Scenarios with the same program, which must end in the same way, share a row. Made by
`python -m tests.oracle.proofs --write`; the suite makes the quickest certificates again, and
`make soak` all.

{rows} of {all} questions have been gone through, with {scenarios} of {files} scenarios: {full} are
certified whole, {bounded} within a bound, {none} not at all.

| scenario | memory | certified | runs | not brought to an end |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """How far a question has come.

    Attributes:
        names: of the scenarios that ask it; ``model``: the memory model.
        bound: ``ALL``, ``NONE``, or the most preemptions of the orders that are certified.
        runs: that the certificate took.
        left: what was tried beyond it.
        wrong: a run that was not clean; "" if all were.
    """

    names: tuple[str, ...]
    model: str
    bound: str | int
    runs: int = 0
    left: str = ""
    wrong: str = ""

    @property
    def certified(self) -> bool:
        """Something is."""
        return self.bound != NONE

    @property
    def preemptions(self) -> int | None:
        """What ``prove`` takes as its bound."""
        return self.bound if isinstance(self.bound, int) else None

    def line(self) -> str:
        """Return it as a line of the page."""
        names = ", ".join(f"`{name}`" for name in self.names)
        bound = f"<= {self.bound}" if isinstance(self.bound, int) else self.bound
        runs = f"{self.runs:,}" if self.certified else ""
        return f"| {names} | {self.model} | {bound} | {runs} | {self.left} |"


def scenario_of(name: str, model: str) -> Scenario:
    """Return a shipped scenario without its mutations, under a memory model."""
    path = ROOT / "configs" / "races" / f"{name}.yaml"
    return load_scenario(path).changed(mutations=[], model=model).scenario


@cache
def questions() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return what is to be certified: scenarios that are one without mutations, and a model."""
    asked: dict[tuple[str, bytes, bytes], list[str]] = {}
    for path in FILES:
        own = load_scenario(path).scenario.spec.memory_model
        for model in dict.fromkeys(("sc", own)):
            if model in ("sc", "tso", "pso"):
                scenario = scenario_of(path.stem, model)
                key = model, question_hash(scenario), config_hash(scenario)
                asked.setdefault(key, []).append(path.stem)
    return tuple((tuple(names), model) for (model, _, _), names in asked.items())


def row_of(names: tuple[str, ...], model: str, seconds: float) -> Row:
    """Prove a question as far as the seconds allow."""
    scenario = scenario_of(names[0], model)
    whole = prove(scenario, seconds=seconds)
    if whole.failed is not None:
        return Row(names, model, NONE, wrong=whole.failed.verdict.text)
    if whole.complete:
        return Row(names, model, ALL, whole.traces + whole.blocked)
    row = Row(names, model, NONE, left=_left(whole, "all orders"))
    for bound in range(MOST_PREEMPTIONS + 1):
        proof = prove(scenario, seconds=seconds, preemptions=bound)
        if proof.failed is not None:
            return Row(names, model, NONE, wrong=proof.failed.verdict.text)
        if not proof.complete:
            break
        row = Row(names, model, bound, proof.traces + proof.blocked, row.left)
    return row


def _left(proof: Proof, what: str) -> str:
    about = "" if proof.estimate is None else f" of about {proof.estimate[0]:,.0f}"
    return f"{what}: {proof.traces:,} clean runs{about}"


def again(row: Row) -> str:
    """Make the certificate of a row again; return what is wrong."""
    proof = prove(scenario_of(row.names[0], row.model), preemptions=row.preemptions)
    if proof.failed is not None:
        return proof.failed.verdict.text
    return "" if proof.complete else f"not certified by {proof.traces:,} runs"


def listed() -> tuple[Row, ...]:
    """Return the rows of docs/races-proofs.md."""
    rows = []
    for line in PAGE.read_text("utf-8").splitlines() if PAGE.exists() else ():
        found = _ROW.match(line)
        if found:
            names, model, bound, runs, left = found.groups()
            rows.append(
                Row(
                    tuple(name.strip("` ") for name in names.split(",")),
                    model,
                    int(bound[3:]) if bound.startswith("<=") else bound,
                    int(runs.replace(",", "") or 0),
                    left.strip(),
                )
            )
    return tuple(rows)


def quick(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that the suite makes again: the shortest, ``QUICK`` runs in all."""
    chosen, runs = [], 0
    for row in sorted(rows, key=lambda row: (row.runs, row.names, row.model)):
        if row.certified:
            runs += row.runs + BEGUN
            if runs > QUICK:
                break
            chosen.append(row)
    return chosen


def page(rows: Iterable[Row]) -> str:
    """Return docs/races-proofs.md."""
    known = {(row.names, row.model): row for row in rows}
    kept = [known[question] for question in questions() if question in known]
    head = _HEAD.format(
        rows=len(kept),
        all=len(questions()),
        scenarios=len({name for row in kept for name in row.names}),
        files=len(FILES),
        full=sum(row.bound == ALL for row in kept),
        bounded=sum(isinstance(row.bound, int) for row in kept),
        none=sum(row.bound == NONE for row in kept),
    )
    return head + "".join(row.line() + "\n" for row in kept)


def main() -> int:
    """Prove, and print the rows; the exit status is 1 if a run of the kernel was not clean."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO")
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=20.0, help="for each bound")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write docs/races-proofs.md")
    parser.add_argument("--new", action="store_true", help="only what has no row yet")
    parser.add_argument("--check", action="store_true", help="only make what is certified again")
    args = parser.parse_args()

    def wanted(names: tuple[str, ...], model: str) -> bool:
        return (not args.only or not set(names).isdisjoint(args.only)) and (
            not args.model or model in args.model
        )

    bad = 0
    with ProcessPoolExecutor(args.jobs) as pool:
        if args.check:
            rows = [row for row in listed() if row.certified and wanted(row.names, row.model)]
            for row, wrong in zip(rows, pool.map(again, rows), strict=True):
                print(f"{row.line()} {wrong or 'holds'}", flush=True)
                bad += bool(wrong)
            print(f"{len(rows)} certificates: {bad} do not hold")
            return 1 if bad else 0
        known = {(row.names, row.model): row for row in listed()}
        asked = [
            question
            for question in questions()
            if wanted(*question) and not (args.new and question in known)
        ]
        found = pool.map(row_of, *zip(*asked, strict=True), repeat(args.seconds)) if asked else ()
        for row in found:
            print(row.line(), flush=True)
            if row.wrong:
                print(f"  WRONG: {row.wrong}", flush=True)
                bad += 1
                continue
            if args.write:  # as it goes: it may be stopped
                known = {(one.names, one.model): one for one in (*listed(), row)}
                PAGE.write_text(page(known.values()), "utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
