"""What runs give that must not depend on how they are run; as a script, on the core asked for.

A process has one core. So another one makes the runs of another core: it answers each line of
standard input, the arguments of ``program_outcome`` or ``config_outcome`` as JSON, with a line.

Usage: SMPLAB_CORE=pure|compiled SMPLAB_FORMS=on|off python tests/cluster/core_outcomes.py
"""

import json
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from cluster import fast_core  # settles the core, so before the kernel

# isort: split
from cluster.build import guest_spec, resolve
from cluster.catalogue import config_names, config_path
from cluster.config import load_config
from cluster.emulated import Machine
from cluster.engine import run_machine
from cluster.engine_api import RunRequest, RunResult

GUEST = Path(__file__).resolve().parents[1] / "guest"
PROGRAMS = sorted(str(path.relative_to(GUEST)) for path in GUEST.glob("*/*.py"))
SIZES = (1, 2, 3, 8)
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

Outcome = list[Any]


def machines(name: str) -> tuple[Machine, Machine]:
    """Return the machines a program runs on: at ``syscall`` and ``step``, one of each scheme."""
    number = PROGRAMS.index(name)
    exact_first = number % 3 == 1
    first = Machine(SIZES[number // 3 % 4], 1000 + number, "syscall", SCHEMES[not exact_first])
    second = Machine(SIZES[(number // 3 + 1) % 4], 1000 + number, "step", SCHEMES[exact_first])
    return first, second


def program_outcome(
    name: str, machine: Machine, run: Callable[[RunRequest], RunResult] = run_machine
) -> Outcome:
    """Return what a run of one of PROGRAMS gives: how it ends, what it prints, digest, trace."""
    spec = guest_spec(
        GUEST / name,
        [],
        cpus=machine.cpus,
        seed=machine.seed,
        granularity=machine.granularity,
        tie_break="random" if machine.granularity == "step" else "order",
        trace_syscalls=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        request = RunRequest(
            spec, scheme=machine.scheme, cpus_per_actor=2, out_dir=Path(folder), max_wall_s=1000.0
        )
        result = run(request)
        return [*_result(result), _short(Path(folder, "trace.smpt").read_bytes())]


def config_outcome(name: str, granularity: str, scheme: str) -> Outcome:
    """The same of a shipped configuration, without a trace file."""
    settings = [f"workloads.0.params.{key}={value}" for key, value in SMALLER.get(name, {}).items()]
    settings += [*SETTINGS, f"granularity={granularity}", f"sync.scheme={scheme}"]
    spec = resolve(load_config(config_path(Path(name)), [("--set", text) for text in settings]))
    return _result(run_machine(RunRequest(spec, scheme=scheme)))


def _result(result: RunResult) -> Outcome:
    outputs = [f"{key} {_short(data)}" for key, data in sorted(result.outputs.items())]
    statuses = [list(status) for status in result.statuses]
    return [result.exit_kind, result.message, outputs, statuses, result.digest]


def _short(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]


def answer(line: str) -> Outcome:
    """Make the run that a line asks for."""
    name, *how = json.loads(line)
    try:
        if name in config_names():
            return config_outcome(name, *how)
        return program_outcome(name, Machine(*how[0]))
    except Exception as error:  # a core's own failure is an outcome
        return [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    print(fast_core.core(), fast_core.has_forms(), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
