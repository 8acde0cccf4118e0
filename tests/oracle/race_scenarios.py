"""The scenarios of configs/races through the whole gate, under each memory model they speak of.

Where a bug is expected: found within so many runs or so much time of a processor, made small, and
made again; where none is, and without the mutation: so many clean runs. The tests of the suite do
the same with few runs, each scenario under its own model.

Usage: python -m tests.oracle.race_scenarios [--only SCENARIO]... [--seconds S] [--clean RUNS]
           [--jobs N]
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from cluster.race.explore import Plan, explore
from cluster.race.run import Control, Run, Scenario, run_once
from cluster.race.scenario import FOUND, load_scenario
from cluster.race.shrink import shrink
from cluster.race.watch import Watch, following

FILES = sorted((Path(__file__).resolve().parents[2] / "configs" / "races").glob("*.yaml"))
MOST = 20_000  # runs until the first bug
SEGMENTS = 8
AGAIN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """What a scenario has shown under a model; ``wrong`` is empty if all is as it should be."""

    name: str
    model: str
    told: str
    wrong: tuple[str, ...]


def replays(scenario: Scenario, run: Run) -> int:
    """Return how many of ``AGAIN`` replays show the same bug in the same run."""
    made = [
        run_once(scenario, Control(scenario, None, list(run.actors)), seed=run.seed, watch=Watch())
        for _ in range(AGAIN)
    ]
    same = (run.verdict.signature, run.digest)
    return sum((one.verdict.signature, one.digest) == same for one in made)


def row_of(path: Path, model: str, seconds: float, clean: int) -> Row:
    """Send one scenario through the gate under one model."""
    loaded = load_scenario(path)
    own = loaded.scenario.spec.memory_model
    loaded = loaded.changed(model=model)
    wrong = []
    began = time.process_time()
    with following():
        if loaded.verdicts[model] == FOUND:
            found = explore(Plan(loaded.scenario, runs=MOST, time_s=seconds))
            told = f"{found.runs} runs, {time.process_time() - began:.1f} s"
            if found.bug is None:
                wrong.append("not found")
            else:
                small = shrink(loaded.scenario, found.bug)
                told += f": {found.bug.verdict.kind} by {found.bug.strategy}, made of "
                told += f"{small.forced} switches, {small.segments} segments"
                # another model may need more stretches: a store and an old load are some each
                if (small.segments if model == own else small.forced) > SEGMENTS:
                    wrong.append("not small")
                for scenario, run in ((loaded.scenario, found.bug), (small.scenario, small.run)):
                    if replays(scenario, run) != AGAIN:
                        wrong.append("a replay is another run")
        else:
            found = explore(Plan(loaded.scenario, runs=clean, time_s=seconds))
            told = f"clean in {found.runs} runs"
            if found.bug is not None:
                wrong.append(f"found: {found.bug.verdict.text}")
        plain = explore(Plan(loaded.changed(mutations=[]).scenario, runs=clean, time_s=seconds))
    if plain.bug is not None:
        wrong.append(f"without its mutation: {plain.bug.verdict.text}")
    return Row(path.stem, model, f"{told}; without it {plain.runs} runs", tuple(wrong))


def main() -> int:
    """Print a line for each scenario and model; the exit status is 1 if one is not as expected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", metavar="SCENARIO")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clean", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    files = [path for path in FILES if not args.only or path.stem in args.only]
    cases = [(path, model) for path in files for model in load_scenario(path).verdicts]
    bad = 0
    with ProcessPoolExecutor(args.jobs) as pool:
        paths, models = [path for path, _ in cases], [model for _, model in cases]
        limits = repeat(args.seconds), repeat(args.clean)
        for row in pool.map(row_of, paths, models, *limits):
            bad += bool(row.wrong)
            print(f"{row.name} ({row.model}): {row.told}", flush=True)
            for line in row.wrong:
                print(f"  WRONG: {line}", flush=True)
    print(f"{len(cases)} cases of {len(files)} scenarios: {bad} not as expected")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
