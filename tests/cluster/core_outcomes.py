"""Runs guest programs on whichever core SMPLAB_CORE names; prints what each did, a line each.

A process of its own, because a process has one core. The lines of the two cores must be equal.

Usage: SMPLAB_CORE=pure|compiled python tests/cluster/core_outcomes.py FOLDER
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

from cluster import fast_core  # settles the core, so before the kernel

# isort: split
from cluster.emulated import Machine, run_emulated

SIZES = (1, 2, 8)
SCHEMES = ("exact", "barrier")


def machines(number: int) -> list[Machine]:
    """Return the machines that program ``number`` runs on: one of each granularity."""
    return [
        Machine(SIZES[number % 3], 1000 + number, "syscall", SCHEMES[number // 3 % 2]),
        Machine(SIZES[(number + 1) % 3], 1000 + number, "step", SCHEMES[number // 3 % 2]),
    ]


def outcome(program: Path, machine: Machine) -> list[str | int | None]:
    """Return what a run gives that must not depend on the core."""
    try:
        run = run_emulated(program, (), machine)
    except Exception as error:  # a core's own failure is an outcome: the other programs matter too
        return [f"{type(error).__name__}: {error}"]
    texts = [sha256(text).hexdigest()[:16] for text in (run.stdout, run.stderr)]
    return [*texts, run.status, run.problem, run.digest]


def main(folder: str) -> None:
    """Print which core runs, then a line for each machine of each program."""
    print(fast_core.core())
    programs = sorted(Path(folder).rglob("*.py"))
    for number, program in enumerate(programs):
        name = program.relative_to(folder).as_posix()
        for machine in machines(number):
            print(json.dumps([name, str(machine), *outcome(program, machine)]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
