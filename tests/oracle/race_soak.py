"""Runs of the kernel as it is under the race laboratory: no program and no schedule shows a report.

A run has a number, and everything about it follows from that: which of the programs of
tests/guest/race and of the scenarios in configs/races (without their mutations), on how many CPUs,
under which memory model, by which strategy. Checked are data races, the order of locks, invariants
after every step, deadlocks, endless runs, and how the program must end. So a report comes again
when its number is asked for, and a soak goes on where an earlier one ended.

Usage: python -m tests.oracle.race_soak [--runs FIRST-END] [--jobs N] [--seconds S]
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from random import Random

from cluster.build import guest_spec
from cluster.race.run import CLEAN, Control, Expected, Scenario, run_once
from cluster.race.scenario import load_scenario
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import Watch, following
from kernel.drive.memory import memory_model_names
from kernel.machine import ServiceSpec

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "tests/guest/race").glob("*.py"))
FILES = sorted((ROOT / "configs/races").glob("*.yaml"))
CPUS = (4, 2, 3)
MODELS = tuple(memory_model_names())
CHUNK = 40

# kernel threads beside one of the programs: each CPU has one, and one may be anywhere
THREADS = "kernel_threads"
_SERVICES = (ServiceSpec("noise", 2_000_000, 100_000, per_cpu=True), ServiceSpec("one", 10**6, 1))

NAMES = (*(path.name for path in PROGRAMS), *(path.name for path in FILES), THREADS)


@cache
def scenario_of(name: str) -> Scenario:
    """Return a scenario without mutations, on as many CPUs as it has itself."""
    if name.endswith(".yaml"):
        return load_scenario(ROOT / "configs/races" / name).changed(mutations=[]).scenario
    path = PROGRAMS[0] if name == THREADS else ROOT / "tests/guest/race" / name
    spec = guest_spec(path, [], granularity="step", check=False, trace=False)
    if name == THREADS:
        spec.services = _SERVICES
    return Scenario(path.stem, spec, Expected(statuses=((path.name, 0),)))


@dataclass(frozen=True, slots=True)
class Case:
    """What the run of a number is."""

    number: int
    name: str
    cpus: int
    model: str
    strategy: str

    def scenario(self) -> Scenario:
        """Return the scenario on its machine; one of a file keeps the CPUs that it needs."""
        found = scenario_of(self.name)
        cpus = max(self.cpus, found.spec.cpus) if self.name.endswith(".yaml") else self.cpus
        return replace(found, spec=replace(found.spec, cpus=cpus, memory_model=self.model))


def case_of(number: int) -> Case:
    """Return what a number stands for."""
    round_, place = divmod(number, len(NAMES))
    strategies = tuple(STRATEGIES)
    return Case(
        number,
        NAMES[place],
        CPUS[round_ % len(CPUS)],
        MODELS[round_ // len(CPUS) % len(MODELS)],
        strategies[round_ % len(strategies)],
    )


def report_of(case: Case) -> tuple[str, str]:
    """Make a run; return the signature and the text of what it shows, or empty strings.

    Inside ``following()``.
    """
    scenario = case.scenario()
    strategy = STRATEGIES[case.strategy](Random(case.number), Learned())
    run = run_once(scenario, Control(scenario, strategy), seed=case.number, watch=Watch())
    verdict = run.verdict
    if verdict.kind == CLEAN:
        return "", ""
    return f"{verdict.kind}: {verdict.signature}", verdict.text


def _reports(first: int, end: int) -> list[tuple[Case, str, str]]:
    found = []
    with following():
        for number in range(first, end):
            case = case_of(number)
            try:
                signature, text = report_of(case)
            except Exception as error:  # a report like any other
                signature, text = f"{type(error).__name__}: {error}"[:200], ""
            if signature:
                found.append((case, signature, text))
    return found


def soak(
    first: int, end: int, jobs: int, seconds: float
) -> Iterator[tuple[int, list[tuple[Case, str, str]]]]:
    """Yield, in the order of numbers, up to which one runs are made, and what the last showed."""
    until = time.monotonic() + seconds
    with ProcessPoolExecutor(jobs) as pool:
        waiting = []
        for start in count(first, CHUNK):
            if start < end and time.monotonic() < until:
                stop = min(start + CHUNK, end)
                waiting.append((stop, pool.submit(_reports, start, stop)))
                if len(waiting) <= jobs:
                    continue
            if not waiting:
                return
            stop, chunk = waiting.pop(0)
            yield stop, chunk.result()


def main() -> int:
    """Soak, and print each report once, with the numbers of its first runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", default="0-10000", metavar="FIRST-END")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    args = parser.parse_args()
    first, _, end = args.runs.partition("-")
    seen: Counter[str] = Counter()
    done = int(first)
    for done, reports in soak(int(first), int(end), args.jobs, args.seconds):
        for case, signature, text in reports:
            seen[signature] += 1
            if seen[signature] <= 3:
                print(f"run {case.number}: {case.name} on {case.cpus} CPUs, {case.model}, ", end="")
                print(f"{case.strategy}: {signature}\n{text}", flush=True)
        if sys.stderr.isatty():
            print(f"\r{done} of {end} runs, {sum(seen.values())} reports", end="", file=sys.stderr)
    print(f"runs {first}-{done} of {len(NAMES)} scenarios: {sum(seen.values())} reports")
    for signature, times in seen.most_common():
        print(f"{times:6} {signature}")
    if done < int(end):
        print(f"go on with --runs {done}-{end}")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
