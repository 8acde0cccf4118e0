"""Controlled runs and steps per second: not watched, watched, and with all steps kept.

Each way is taken in turn, run by run, so what else the host does is shared by all; times are CPU
times, and the median run counts.

With --scenarios: runs per second of each shipped scenario, as ``smplab race run`` makes them.
With --fan-out N: the time of one process over that of N, and of N tasks of Ray, for the same runs;
the start of the workers is left out. Only a host that does nothing else gives figures that mean
something there.

Usage: python -m tests.benchmarks.race_rates [PROGRAM] [--cpus N] [--runs N] [--strategy NAME]
       python -m tests.benchmarks.race_rates --scenarios | --fan-out N [--runs N]
"""

import argparse
import os
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

os.environ.setdefault("SMPLAB_CORE", "pure")  # compiled code does not look at classes for fields

from cluster.build import guest_spec
from cluster.race.explore import Plan, learn, make_runs
from cluster.race.run import Expected, Scenario, explore_once
from cluster.race.scenario import load_scenario
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import following
from cluster.race.workers import Here, Processes

if TYPE_CHECKING:
    from cluster.race.workers import Workers

RACES: Final = Path(__file__).parents[2] / "configs" / "races"
CHUNK: Final = 10

FORK: Final = """\
import os

if os.fork() == 0:
    os._exit(3)
assert os.wait()[1] == 3 << 8
"""
# name -> is it watched, are its steps kept
WAYS: Final = {"plain": (False, False), "watched": (True, False), "watched+keep": (True, True)}


def unmutated(path: Path) -> Scenario:
    """Return a shipped scenario without its mutations."""
    return load_scenario(path).changed(cpus=None, model=None, mutations=[]).scenario


def scenarios(runs: int) -> None:
    """Print a line for each shipped scenario."""
    for path in sorted(RACES.glob("*.yaml")):
        plan = Plan(unmutated(path), runs=runs, stop=False)
        with following():
            learned = learn(plan.scenario, plan.seed)
            make_runs(plan, learned, range(2))
            began = process_time()
            outcomes = make_runs(plan, learned, range(runs))
            taken = process_time() - began
        steps = sum(outcome.steps for outcome in outcomes)
        print(f"{path.stem:28} {runs / taken:6.0f} runs/s {steps / taken:8.0f} steps/s", flush=True)


def timed(plan: Plan, learned: Learned, numbers: range) -> float:
    """Make these runs; return the CPU time that took."""
    began = process_time()
    make_runs(plan, learned, numbers)
    return process_time() - began


def fan_out(workers: int, runs: int) -> None:
    """Print how many times faster so many workers are than one process."""
    from cluster.race.ray_workers import OnRay

    plan = Plan(unmutated(RACES / "wait_against_exit.yaml"), runs=runs, stop=False)
    with following():
        learned = learn(plan.scenario, plan.seed)
        alone, alone_cpu = _seconds(Here(), plan, learned, 1)
        for name, many in (("processes", Processes(workers)), ("Ray", OnRay(workers))):
            taken, cpu = _seconds(many, plan, learned, workers)
            print(
                f"{workers} {name:10} {alone / taken:5.2f} times one process, "
                f"{workers * alone_cpu / cpu:5.2f} by CPU times",
                flush=True,
            )


def _seconds(who: "Workers", plan: Plan, learned: Learned, workers: int) -> tuple[float, float]:
    """Return how long the runs take once all workers have made some, and all the CPU time.

    What this process does is CPU time, too; where the workers are others, it is not parallel.
    """
    warm = 4 * workers  # chunks
    chunks = [range(at, at + CHUNK) for at in range(0, plan.runs + warm * CHUNK, CHUNK)]
    began, cpu, own = 0.0, 0.0, 0.0
    for number, seconds in enumerate(who.results(timed, (plan, learned), chunks)):
        if number + 1 > warm:
            cpu += seconds
        if number + 1 == warm:
            began, own = perf_counter(), process_time()
    if not isinstance(who, Here):
        cpu += workers * (process_time() - own)
    return perf_counter() - began, cpu


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", type=Path, help="default: fork, exit, wait")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--strategy", choices=sorted(STRATEGIES), default="random")
    parser.add_argument("--scenarios", action="store_true", help="rates of shipped scenarios")
    parser.add_argument("--fan-out", type=int, default=0, metavar="N", help="N workers over one")
    options = parser.parse_args()
    if options.scenarios:
        scenarios(options.runs)
        return
    if options.fan_out:
        fan_out(options.fan_out, options.runs)
        return
    with tempfile.TemporaryDirectory() as folder:
        program = options.program
        if program is None:
            program = Path(folder) / "fork.py"
            program.write_text(FORK)
        spec = guest_spec(
            program, [], cpus=options.cpus, granularity="step", check=False, trace=False
        )
    scenario = Scenario(program.stem, spec, Expected(statuses=((program.name, 0),)))
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    steps: dict[str, int] = dict.fromkeys(WAYS, 0)
    make = STRATEGIES[options.strategy]
    with following():
        for seed in range(-2, options.runs):  # two to warm up
            for way, (watch, keep) in WAYS.items():
                began = process_time()
                run, _seen = explore_once(
                    scenario,
                    make,
                    options.strategy,
                    Learned(),
                    abs(seed),
                    watch=watch,
                    keep=keep,
                    digest=False,
                )
                if seed >= 0:
                    seconds[way].append(process_time() - began)
                    steps[way] += len(run.actors)
    for way, taken in seconds.items():
        one = median(taken)
        print(
            f"{way:13} {one * 1e3:7.2f} ms a run, {1 / one:7.0f} runs/s, "
            f"{steps[way] / len(taken) / one:8.0f} steps/s ({steps[way] // len(taken)} steps a run)"
        )


if __name__ == "__main__":
    main()
