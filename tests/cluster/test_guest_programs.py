"""Guest programs on the host's kernel and emulated: they must do the same."""

from functools import cache
from pathlib import Path

import pytest

from cluster.diff import diff_program
from cluster.native import NativeRun, run_native

FOLDER = Path(__file__).resolve().parents[1] / "guest"
PROGRAMS = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.py"))

pytestmark = pytest.mark.native


@cache
def on_the_host(name: str) -> NativeRun:
    return run_native(FOLDER / name)


@pytest.mark.parametrize("cpus", [1, 2, 8])
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_does_what_it_does_on_the_host(name: str, cpus: int) -> None:
    report = diff_program(FOLDER / name, cpus=cpus, native=on_the_host(name))
    assert report.same, report.render()
