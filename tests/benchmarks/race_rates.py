"""Controlled runs and steps per second: not watched, watched, and with all steps kept.

Each way is taken in turn, run by run, so what else the host does is shared by all; times are CPU
times, and the median run counts.

Usage: python -m tests.benchmarks.race_rates [PROGRAM] [--cpus N] [--runs N] [--strategy NAME]
"""

import argparse
import os
import tempfile
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

os.environ.setdefault("SMPLAB_CORE", "pure")  # compiled code does not look at classes for fields

from cluster.build import guest_spec
from cluster.race.run import Expected, Scenario, explore_once
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import following

FORK: Final = """\
import os

if os.fork() == 0:
    os._exit(3)
assert os.wait()[1] == 3 << 8
"""
# name -> is it watched, are its steps kept
WAYS: Final = {"plain": (False, False), "watched": (True, False), "watched+keep": (True, True)}


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", type=Path, help="default: fork, exit, wait")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--strategy", choices=sorted(STRATEGIES), default="random")
    options = parser.parse_args()
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
