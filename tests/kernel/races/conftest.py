"""Running guest programs at granularity ``step`` over many schedules."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from kernel.machine import MachineSpec

GUEST = Path(__file__).resolve().parents[2] / "guest"

# How one run ended: kind, message unless it is done, wait status, standard output and error
Outcome = tuple[str, str, int | None, bytes, bytes]


@cache
def machine(name: str, cpus: int) -> MachineSpec:
    """Return the machine that runs a program of tests/guest; reading all its files takes long."""
    return guest_spec(GUEST / name, [], cpus=cpus, granularity="step", check=True, trace=False)


def run_once(name: str, **changes: Any) -> Outcome:
    """Run a program of tests/guest at granularity step, all invariants checked."""
    scheme = changes.pop("scheme", "exact")
    spec = replace(machine(name, changes.pop("cpus", 8)), **changes)
    result = run_local(
        RunRequest(spec, scheme=scheme, max_virtual_ns=60_000_000_000, max_wall_s=120)
    )
    status = result.statuses[0][2] if result.statuses else None
    out, err = (
        b"".join(data for key, data in result.outputs.items() if key.endswith(end))
        for end in (".stdout", ".stderr")
    )
    return result.exit_kind, "" if result.exit_kind == DONE else result.message, status, out, err


def collect(name: str, seeds: Iterable[int], **changes: Any) -> dict[Outcome, list[int]]:
    """Return a program's outcomes over random schedules, each with the seeds that gave it."""
    found: dict[Outcome, list[int]] = {}
    for seed in seeds:
        outcome = run_once(name, seed=seed, tie_break="random", **changes)
        found.setdefault(outcome, []).append(seed)
    return found


@pytest.fixture
def outcomes() -> Callable[..., dict[Outcome, list[int]]]:
    """Return ``collect``."""
    return collect


@pytest.fixture
def outcome() -> Callable[..., Outcome]:
    """Return ``run_once``."""
    return run_once
