"""Litmus tests on every machine, against the axioms of the kernel's model.

What a machine can leave a test in must be among what ``lkmm`` allows, and what a stronger machine
can, among what a weaker one can (``STRONGER``). States are whole ones: all of memory, all
registers. Where the search passes ``--states``, it is asked at least whether the test's condition
can be met, which leaves most states out, and run by chance, ``--runs`` times. A state that it shows
then, outside of the model, is shown again by
``smplab litmus FILE --model MODEL --runs RUNS --seed SEED``.

With ``--log`` there is a line of JSON for each test, and one that has its line is left out the next
time, unless something was not searched through then and the limits are higher now. So a folder of
thousands can be gone through in pieces: by ``--range``, after a break, with higher limits.

Usage: python -m tests.oracle.litmus_machines FOLDER... [--range FROM:TO] [--states N] [--runs N]
           [--seed N] [--candidates N] [--log FILE] [--table]
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from cluster.litmus import litmus_files
from workloads.litmus.condition import Place, holds, show_place
from workloads.litmus.errors import LitmusError
from workloads.litmus.machines.explore import MACHINES, End, ends, reaches, state_at
from workloads.litmus.machines.program import Program
from workloads.litmus.oracle import StateKey, forbidden, is_reached, states_of
from workloads.litmus.parser import parse_litmus
from workloads.litmus.random_runs import ends_at_random
from workloads.litmus.test import Litmus
from workloads.litmus.traces import TooLarge

# What the first shows the second must be able to show. tso is not among what arm shows: a load may
# overtake a release there, which is RCsc on ARMv8.
STRONGER: Final = (("sc", "tso"), ("tso", "pso"), ("pso", "weak"), ("sc", "arm"), ("arm", "weak"))

SEARCHED: Final = "searched"
ASKED: Final = "asked for the condition, and run by chance"
RUN: Final = "run by chance"
CONDITION: Final = "the condition is met"


@dataclass(slots=True)
class Limits:
    """How far to go for one test. ``candidates``: executions that the axioms are asked about."""

    states: int = 2_000
    candidates: int = 2_000
    runs: int = 20
    seed: int = 1

    def less_than(self, other: "Limits") -> bool:
        return self.states < other.states or self.candidates < other.candidates


@dataclass(slots=True)
class Compared:
    """What was found of one test.

    ``how``: of each machine; ``outside``: (machine, state) that the model forbids; ``lost``: pairs
    of STRONGER and a state that the second should be able to show; ``unsettled``: machines of which
    some state was not compared; ``equal``: ``weak`` shows all that the model allows, None if not
    all of both was looked at; ``same_verdict``: both can meet the condition or neither, None if
    that was not found; ``refused``: why the test cannot be run at all.
    """

    file: str
    limits: Limits
    how: dict[str, str] = field(default_factory=dict)
    outside: list[tuple[str, str]] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    equal: bool | None = None
    same_verdict: bool | None = None
    refused: str = ""

    @property
    def done(self) -> bool:
        """Whether higher limits would not tell anything more."""
        return bool(self.refused) or (
            self.equal is not None and set(self.how.values()) == {SEARCHED}
        )


def compare(path: Path, name: str, limits: Limits) -> Compared:
    """Run the test in the file ``path`` on all machines and compare them."""
    found = Compared(name, limits)
    try:
        test = parse_litmus(path.read_text("utf-8", "replace"))
        program = Program(test)
    except LitmusError as error:
        found.refused = f"{error.line}:{error.column}: {error.message}"
        return found
    except TooLarge:
        found.refused = "more ways through a process than are looked at"
        return found
    shown = {model: _shown(program, model, found) for model in MACHINES}
    places = places_of_all(program)
    _compare_with_axioms(test, places, shown, found)
    _compare_verdicts(test, places, shown, found)
    for stronger, weaker in STRONGER:
        if found.how[weaker] == SEARCHED:
            found.lost += [
                (f"{stronger} {weaker}", _text(places, state))
                for state in shown[stronger]
                if state not in shown[weaker]
            ]
    return found


def places_of_all(program: Program) -> list[Place]:
    """Return every place of a program: its locations, then registers by process."""
    return [(-1, name) for name in program.locations] + [
        (number, name) for number, code in enumerate(program.codes) for name in code.names
    ]


def _shown(program: Program, model: str, found: Compared) -> dict[StateKey, None]:
    limits = found.limits
    machine = MACHINES[model](program)
    made: Iterable[End]
    try:
        made = ends(machine, limits.states)
        found.how[model] = SEARCHED
    except TooLarge:
        made = ends_at_random(machine, limits.runs, limits.seed)
        found.how[model] = RUN  # ASKED, if that is not too much either
    only = program.test.filter
    return {
        tuple(value for row in end for value in row): None
        for end in made
        if only is None or holds(only, state_at(program, end))
    }


def _compare_with_axioms(
    test: Litmus, places: list[Place], shown: dict[str, dict[StateKey, None]], found: Compared
) -> None:
    """Compare with all that the model allows, or ask it about each state if that is too much."""
    try:
        allowed = states_of(test, places, found.limits.candidates)
    except TooLarge:
        for model, states in shown.items():
            try:
                bad = forbidden(test, places, states, found.limits.candidates)
            except TooLarge:
                found.unsettled.append(model)
                continue
            found.outside += [(model, _text(places, state)) for state in bad]
        return
    for model, states in shown.items():
        found.outside += [(model, _text(places, s)) for s in states if s not in allowed]
    if found.how["weak"] == SEARCHED:
        found.equal = allowed == set(shown["weak"])


def _compare_verdicts(
    test: Litmus, places: list[Place], shown: dict[str, dict[StateKey, None]], found: Compared
) -> None:
    """Ask machines and model whether the condition can be met."""
    try:
        allowed = is_reached(test, found.limits.candidates)
    except TooLarge:
        return
    for model, states in shown.items():
        if found.how[model] == SEARCHED:
            met = any(
                holds(test.condition, dict(zip(places, state, strict=True))) for state in states
            )
        else:
            try:
                met = reaches(test, model, True, found.limits.states)
            except TooLarge:
                continue
            found.how[model] = ASKED
        if met and not allowed and found.how[model] == ASKED:
            found.outside.append((model, CONDITION))
        if model == "weak":
            found.same_verdict = met == allowed


def _text(places: Sequence[Place], state: StateKey) -> str:
    return " ".join(
        f"{show_place(place)}={value};" for place, value in zip(places, state, strict=True)
    )


# -- many tests ----------------------------------------------------------------------------------


def read_log(log: Path) -> dict[str, Compared]:
    """Return the last line of each test."""
    found: dict[str, Compared] = {}
    if log.exists():
        for line in log.read_text().splitlines():
            data = json.loads(line)
            data["limits"] = Limits(**data["limits"])
            found[data["file"]] = Compared(**data)
    return found


def compare_all(
    files: Sequence[tuple[Path, str]], limits: Limits, known: dict[str, Compared]
) -> Iterator[Compared]:
    """Yield what is found of each of ``files`` that ``known`` does not have already."""
    for path, name in files:
        before = known.get(name)
        if before is None or (not before.done and before.limits.less_than(limits)):
            yield compare(path, name, limits)


def table(found: Iterable[Compared]) -> list[str]:
    """Return the figures in lines."""
    tests = [each for each in found if not each.refused]
    lines = [f"{len(tests)} tests"]
    for model in MACHINES:
        how = Counter(each.how[model] for each in tests)
        runs = sum(each.limits.runs for each in tests if each.how[model] != SEARCHED)
        outside = sum(any(of == model for of, _ in each.outside) for each in tests)
        unsettled = sum(model in each.unsettled for each in tests)
        lines.append(
            f"{model:5} searched {how[SEARCHED]:5}  for the condition {how[ASKED]:5}  "
            f"by chance only {how[RUN]:5} ({runs} runs)  "
            f"not compared {unsettled:4}  outside of lkmm {outside}"
        )
    for stronger, weaker in STRONGER:
        pair = f"{stronger} {weaker}"
        asked = sum(each.how[weaker] == SEARCHED for each in tests)
        lost = sum(any(of == pair for of, _ in each.lost) for each in tests)
        lines.append(f"{stronger} within {weaker}: {asked - lost} of {asked}")
    lines.append(_share("weak shows all that lkmm allows", [each.equal for each in tests]))
    lines.append(_share("weak and lkmm have one verdict", [each.same_verdict for each in tests]))
    return lines


def _share(what: str, answers: list[bool | None]) -> str:
    known = [each for each in answers if each is not None]
    share = 100 * sum(known) / len(known) if known else 0.0
    return f"{what}: {sum(known)} of {len(known)} ({share:.1f} %)"


def main() -> int:
    """Compare; exit 1 if something is outside of what it should be within."""
    parser = argparse.ArgumentParser(description="Litmus tests on every machine, and the axioms.")
    parser.add_argument("paths", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--range", default="0:", metavar="FROM:TO")
    for name, default in asdict(Limits()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--table", action="store_true", help="the figures of the log, no new tests")
    args = parser.parse_args()
    files, problems = litmus_files(args.paths)
    for problem in problems:
        print(problem, file=sys.stderr)
    begin, _, end = args.range.partition(":")
    chosen = [
        (path, _name(path, args.paths))
        for path in files[int(begin or 0) : int(end) if end else None]
    ]
    limits = Limits(args.states, args.candidates, args.runs, args.seed)
    known = read_log(args.log) if args.log else {}
    bad = 0
    if not args.table:
        for each in compare_all(chosen, limits, known):
            known[each.file] = each
            for what, state in each.outside + each.lost:
                print(f"{each.file}: {what}: {state}", flush=True)
            if args.log:
                with args.log.open("a") as out:
                    out.write(json.dumps(asdict(each)) + "\n")
    found = [known[name] for _, name in chosen if name in known]
    bad = sum(bool(each.outside or each.lost) for each in found)
    print("\n".join(table(found)))
    for reason, count in Counter(each.refused for each in found if each.refused).items():
        print(f"refused: {count}: {reason}")
    return 1 if bad or problems else 0


def _name(path: Path, roots: Sequence[Path]) -> str:
    for root in roots:
        if path.is_relative_to(root) and path != root:
            return path.relative_to(root).as_posix()
    return path.as_posix()


if __name__ == "__main__":
    sys.exit(main())
