"""Quick forms of paths, and the paths as they are written, do the same to the byte.

Here within one process, by taking the table of quick forms away from the drivers for a while.
``tests/cluster/test_fast_core.py`` compares whole processes, the compiled core among them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.digest import digested_part
from cluster.emulated import Machine, run_emulated
from cluster.engine import run_machine
from cluster.engine_api import DONE
from kernel.drive import forms

GUEST = Path(__file__).resolve().parents[2] / "guest"
FAMILIES = sorted({path.parent.name for path in GUEST.glob("*/*.py")})
MACHINES = (Machine(2, 5, "syscall", "exact"), Machine(8, 6, "syscall", "barrier"))

pytestmark = pytest.mark.skipif(not forms.QUICK, reason="this core has no quick forms")


@contextmanager
def paths_as_written() -> Iterator[None]:
    saved = dict(forms.QUICK)
    forms.QUICK.clear()
    try:
        yield
    finally:
        forms.QUICK.update(saved)


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize(
    "workload",
    ["storm", "vfork_storm", "spawn_storm", "thread_group_exit", "prefork_server", "cow_touch"],
)
def test_workloads_have_the_same_trace_times_and_lock_statistics(
    workload: str, scheme: str, make_request: Callable[..., Any]
) -> None:
    config = "machine: {cpus: 4}\ntrace: {enabled: true, syscalls: true}\n"
    request = make_request(workload, config=config, scheme=scheme)
    quick = run_machine(request)
    with paths_as_written():
        written = run_machine(request)
    assert quick.exit_kind == DONE, quick.message
    assert digested_part(written.summary) == digested_part(quick.summary)
    assert written.digest == quick.digest


def _differing(programs: list[Path]) -> list[str]:
    differing = []
    for program in programs:
        for machine in MACHINES:
            quick = run_emulated(program, (), machine, calls=True, timeout_s=1000.0)
            with paths_as_written():
                written = run_emulated(program, (), machine, calls=True, timeout_s=1000.0)
            if written != quick:
                differing.append(f"{program.parent.name}/{program.name} on {machine}")
    return differing


def test_a_program_of_every_family_does_the_same() -> None:
    assert not _differing([min((GUEST / family).glob("*.py")) for family in FAMILIES])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("family", FAMILIES)
def test_all_programs_do_the_same(family: str) -> None:
    assert not _differing(sorted((GUEST / family).glob("*.py")))
