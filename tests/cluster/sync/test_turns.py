"""Turns that the engine takes by itself under exact are those of one round after the other."""

from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, LIMIT, RunRequest, RunResult
from cluster.local_engine import LocalRun
from kernel.machine import MachineSpec

MS = 1_000_000
SPINNERS = """
import os, time
from workloads import guest

for number in range(9):
    if os.fork() == 0:
        os.nice(number % 3 * 5)
        for _ in range(6):
            guest.compute(3_700_000 + 900_000 * number)
            if number % 2:
                time.sleep(0.004)
            else:
                os.sched_yield()
        os._exit(number)
for _ in range(9):
    os.wait()
"""
BLOCKS = """
import os

for _ in range(5):
    if os.fork() == 0:
        total = 0
        for number in range(9_000):
            total += number % 7
        os._exit(total % 11)
for _ in range(5):
    os.wait()
"""


def request_of(spec: MachineSpec, folder: Path | None = None, **options: int) -> RunRequest:
    return RunRequest(spec, scheme="exact", quantum_ns=20_000, out_dir=folder, **options)


def run(request: RunRequest, *, by_itself: bool) -> tuple[LocalRun, RunResult]:
    made = LocalRun(request)
    if not by_itself:
        made.host.turn_ns = 0
    return made, made.run()


def machine(folder: Path, text: str, **options: object) -> MachineSpec:
    (folder / "guest.py").write_text(text, "utf-8")
    return guest_spec(folder / "guest.py", [], **options)


@pytest.mark.parametrize("fair", ["cfs", "eevdf", "o1"])
@pytest.mark.parametrize(
    ("text", "cpus", "hz"), [(SPINNERS, 3, 1000), (SPINNERS, 1, 250), (BLOCKS, 2, 250)]
)
def test_a_run_has_the_bytes_that_it_has_round_by_round(
    tmp_path: Path, fair: str, text: str, cpus: int, hz: int
) -> None:
    spec = machine(tmp_path, text, cpus=cpus, fair=fair, hz=hz)
    found = []
    for by_itself in (True, False):
        folder = tmp_path / str(by_itself)
        folder.mkdir()
        _, result = run(request_of(spec, folder), by_itself=by_itself)
        assert result.exit_kind == DONE
        trace = next(path for path in sorted(folder.iterdir()) if "trace" in path.name)
        found.append((result.digest, result.summary["run"], trace.read_bytes()))
    assert found[0] == found[1]


@pytest.mark.parametrize("max_ns", [7 * MS, 8 * MS, 8 * MS + 1, 50 * MS])
def test_a_run_ends_at_its_limit_where_it_does_round_by_round(tmp_path: Path, max_ns: int) -> None:
    spec = machine(tmp_path, SPINNERS, cpus=2)
    results = [
        run(request_of(spec, max_virtual_ns=max_ns), by_itself=by_itself)[1]
        for by_itself in (True, False)
    ]
    assert {result.exit_kind for result in results} == {LIMIT}
    assert results[0].digest == results[1].digest
    assert results[0].summary["run"] == results[1].summary["run"]


def test_most_rounds_of_a_machine_that_computes_are_turns_without_scheme_and_kernel(
    tmp_path: Path,
) -> None:
    spec = machine(tmp_path, SPINNERS, cpus=3, hz=1000)
    made, result = run(request_of(spec), by_itself=True)
    phases = 0
    alone, _ = run(request_of(spec), by_itself=False)
    assert made.host.supersteps == alone.host.supersteps == result.summary["run"]["supersteps"]
    phases = made.group._supersteps
    assert phases < alone.group._supersteps // 2
