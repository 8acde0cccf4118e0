"""Runs guest programs and configurations on the core that is asked for: a line for each run.

A process of its own, because a process has one core. The lines of all kinds of core must be equal.

Usage: SMPLAB_CORE=pure|compiled SMPLAB_FORMS=on|off python tests/cluster/core_outcomes.py FOLDER
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

from cluster import fast_core  # settles the core, so before the kernel

# isort: split
from cluster.build import resolve
from cluster.catalogue import config_names, config_path
from cluster.config import load_config
from cluster.emulated import Machine, run_emulated
from cluster.engine import run_machine
from cluster.engine_api import RunRequest

SIZES = (1, 2, 8)
SCHEMES = ("exact", "barrier")
GRANULARITIES = ("syscall", "step")
# what makes configurations small enough
SMALLER = {
    "storm_100k": {"parents": 12, "children": 5},
    "fork_exec_storm": {"children": 20},
    "cow_touch": {"rounds": 2},
    "prefork_server": {"requests": 400},
}
# everything that can be recorded is
SETTINGS = ("engine=local", "trace.enabled=true", "trace.syscalls=true", "kernel.acct=true")

Outcome = list[str | int | None]


def machines(number: int) -> list[Machine]:
    """Return the machines that program ``number`` runs on: one of each granularity."""
    return [
        Machine(SIZES[(number + place) % 3], 1000 + number, granularity, SCHEMES[number // 3 % 2])
        for place, granularity in enumerate(GRANULARITIES)
    ]


def program_outcome(program: Path, machine: Machine) -> Outcome:
    """Return what a run of a program gives that must not depend on the core."""
    run = run_emulated(program, (), machine, calls=True, timeout_s=1000.0)
    texts = [digest(text) for text in (run.stdout, run.stderr, "\n".join(run.calls).encode())]
    return [*texts, run.status, run.problem, run.digest]


def config_outcome(name: str, granularity: str, scheme: str) -> Outcome:
    """The same of a shipped configuration."""
    settings = [f"workloads.0.params.{key}={value}" for key, value in SMALLER.get(name, {}).items()]
    settings += [*SETTINGS, f"granularity={granularity}", f"sync.scheme={scheme}"]
    spec = resolve(load_config(config_path(Path(name)), [("--set", text) for text in settings]))
    result = run_machine(RunRequest(spec, scheme=scheme))
    outputs = [f"{key} {digest(data)}" for key, data in sorted(result.outputs.items())]
    return [result.exit_kind, result.message, digest("\n".join(outputs).encode()), result.digest]


def digest(data: bytes) -> str:
    """Return a short hash of bytes."""
    return sha256(data).hexdigest()[:16]


def main(folder: str) -> None:
    """Print which core runs, then a line for each machine of each program and configuration."""
    print(fast_core.core(), fast_core.has_forms())
    programs = sorted(Path(folder).rglob("*.py"))
    runs = [
        (program.relative_to(folder).as_posix(), str(machine), program_outcome, (program, machine))
        for number, program in enumerate(programs)
        for machine in machines(number)
    ]
    runs += [
        (f"configs/{name}", f"{granularity}, {scheme}", config_outcome, (name, granularity, scheme))
        for name in config_names()
        for granularity in GRANULARITIES
        for scheme in SCHEMES
    ]
    for name, machine, run, arguments in runs:
        try:
            row = run(*arguments)
        except Exception as error:  # a core's own failure is an outcome: the others matter too
            row = [f"{type(error).__name__}: {error}"]
        print(json.dumps([name, machine, *row]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
