"""Guest programs on the host's kernel and emulated: they must do the same.

All of them on machines of three sizes under both schemes are the slow set; the fast set takes one
program of each folder, on a machine and under a scheme that change from one to the next. Programs
in ``race`` may end in several ways: of them only what they print and how they end is compared
here, and in tests/kernel/races all that they can do.
"""

from functools import cache
from itertools import cycle
from pathlib import Path

import pytest

from cluster.diff import diff_program
from cluster.native import NativeRun, run_native

FOLDER = Path(__file__).resolve().parents[1] / "guest"
PROGRAMS = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.py"))
FIRST_OF_FOLDER = list({name.split("/")[0]: name for name in reversed(PROGRAMS)}.values())
MACHINES = [(cpus, scheme) for cpus in (1, 2, 8) for scheme in ("exact", "barrier")]

pytestmark = pytest.mark.native


@cache
def on_the_host(name: str) -> NativeRun:
    return run_native(FOLDER / name)


def check(name: str, cpus: int, scheme: str) -> None:
    native = on_the_host(name)
    report = diff_program(FOLDER / name, cpus=cpus, scheme=scheme, native=native)
    if name.startswith("race/"):
        # who wins shows in the processes' ends; what the program prints must not depend on it
        emulated = report.emulated
        assert not emulated.problem
        assert (emulated.stdout, emulated.status) == (native.stdout, native.status)
    else:
        assert report.same, report.render()


@pytest.mark.parametrize(
    ("name", "machine"),
    [pytest.param(*pair, id=pair[0]) for pair in zip(FIRST_OF_FOLDER, cycle(MACHINES))],
)
def test_one_program_of_each_folder_does_what_it_does_on_the_host(
    name: str, machine: tuple[int, str]
) -> None:
    check(name, *machine)


@pytest.mark.slow
@pytest.mark.parametrize(("cpus", "scheme"), MACHINES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_does_what_it_does_on_the_host(name: str, cpus: int, scheme: str) -> None:
    check(name, cpus, scheme)
