"""Guest programs on the host's kernel and emulated: every emulated outcome is one of the host's.

Each program runs on two machines, and in a soak on four more: at both granularities, of three
sizes, the scheme changing from one to the next; at ``step`` the order of steps is random, by a
seed that differs from program to program. These are the slow set; the fast set takes the smallest
program of each folder, on one machine. The host's outcomes are kept for the session. Programs in
``race`` may end in more ways than the host shows in a short time: of them only what they print
and how they end is compared here, and in tests/kernel/races all that they can do.
"""

import os
import sys
from itertools import cycle
from pathlib import Path

import pytest

from cluster.compare import plain_stderr
from cluster.diff import HostOutcomes, Plan, diff_program
from cluster.diff_report import render_details
from cluster.emulated import Machine, run_emulated
from cluster.native import run_native
from tests.soak import soaked

FOLDER = Path(__file__).resolve().parents[1] / "guest"
PROGRAMS = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.py"))
BY_SIZE = sorted(PROGRAMS, key=lambda name: (FOLDER / name).stat().st_size, reverse=True)
LONG = ("random/", "restart/", "limits/cpu_")  # they take seconds on the host
SHORT = {name.split("/")[0]: name for name in BY_SIZE if not name.startswith(LONG)}
SHORT_OF_FOLDER = [SHORT[folder] for folder in sorted(SHORT)]
SIZES = (1, 2, 8)
GRANULARITIES = ("syscall", "step")
SCHEMES = ("exact", "barrier")
MACHINES = [
    (cpus, granularity, scheme)
    for cpus in SIZES
    for granularity in GRANULARITIES
    for scheme in SCHEMES
]

# what an older CPython 3.11 answers otherwise, and the emulator as a newer one
SINCE = {
    # up to some release it told what errno was, from whatever call had failed before
    "fcntl/dup2_negative.py": (3, 11, 7),
}

pytestmark = pytest.mark.native

_host: dict[str, HostOutcomes] = {}


def has_cgroup2() -> bool:
    """Tell whether the host has a file system of cgroups in which groups may be made."""
    with open("/proc/mounts") as mounts:
        places = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    return os.geteuid() == 0 and any(os.access(place, os.W_OK) for place in places[:1])


def check(name: str, cpus: int, granularity: str, scheme: str, seed: int) -> None:
    since = SINCE.get(name, (3, 11))
    if sys.version_info < since:
        pytest.skip(f"this Python is older than {'.'.join(map(str, since))}")
    if (name.startswith("cgroup/") or name == "race/groups_of_others.py") and not has_cgroup2():
        pytest.skip("no groups can be made in the file system of cgroups of this host")
    host = _host.setdefault(name, HostOutcomes())
    if name.startswith("race/"):
        # who wins shows in the processes' ends; what the program prints must not depend on it
        if not host.runs:
            host.add(run_native(FOLDER / name, unbuffered=True))
        native = host.runs[0]
        emulated = run_emulated(
            FOLDER / name, (), Machine(cpus, seed, granularity, scheme), unbuffered=True
        )
        assert not emulated.problem
        assert (emulated.stdout, emulated.status) == (native.stdout, native.status)
        assert plain_stderr(emulated.stderr) == plain_stderr(native.stderr)
        return
    plan = Plan((cpus,), (seed,), (granularity,), (scheme,), max_runs=40, unbuffered=True)
    report = diff_program(FOLDER / name, plan=plan, host=host)
    assert report.same, render_details(report)


@pytest.mark.parametrize(
    ("name", "machine"),
    [pytest.param(*pair, id=pair[0]) for pair in zip(SHORT_OF_FOLDER, cycle(MACHINES))],
)
def test_one_program_of_each_folder_does_what_it_does_on_the_host(
    name: str, machine: tuple[int, str, str]
) -> None:
    check(name, *machine, seed=1)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name.startswith("streams/")])
def test_buffered_streams_do_what_they_do_on_the_host(name: str) -> None:
    plan = Plan((2,), (1,), ("syscall",), ("exact",), max_runs=40, stdin=b"first\nlast")
    report = diff_program(FOLDER / name, plan=plan)
    assert report.same, render_details(report)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("turn", [0, *map(soaked, range(1, 6))])
def test_program_does_what_it_does_on_the_host(name: str, turn: int) -> None:
    number = PROGRAMS.index(name)
    machines = [(cpus, granularity) for cpus in SIZES for granularity in GRANULARITIES]
    for place, (cpus, granularity) in enumerate(machines):
        if (number + place + turn) % len(machines) == 0:
            scheme = SCHEMES[(number // 3 + place) % 3 == 0]
            check(name, cpus, granularity, scheme, seed=1000 + number)
