"""Groups of tasks on a whole machine: sessions that share CPUs, on several CPUs and engines."""

from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE
from cluster.request import request_of_machine

PROGRAM = """
import os
import time

from workloads.guest import compute

LENGTH_NS = 1_200_000_000


def spin(cpu, until_ns):
    os.sched_setaffinity(0, {cpu})
    begun_ns = time.process_time_ns()
    while time.monotonic_ns() < until_ns:
        compute(500_000)
    return time.process_time_ns() - begun_ns


def session(cpus, until_ns):
    os.setsid()
    readers = []
    for cpu in cpus:
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, str(spin(cpu, until_ns)).encode())
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    total = 0
    for reader in readers:
        total += int(os.read(reader, 100))
        os.wait()
    return total


sessions = []
until_ns = time.monotonic_ns() + LENGTH_NS
for cpus in SESSIONS:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, str(session(cpus, until_ns)).encode())
        os._exit(0)
    os.close(writer)
    sessions.append(reader)
for reader in sessions:
    print(os.read(reader, 100).decode())
    os.wait()
"""


def shares(tmp_path: Path, sessions: list[list[int]], cpus: int, fair: str, scheme: str) -> list:
    path = tmp_path / "sessions.py"
    path.write_text(PROGRAM.replace("SESSIONS", repr(sessions)))
    spec = guest_spec(path, [], cpus=cpus, fair=fair, trace=False)
    result = run_machine(request_of_machine(spec, scheme, max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    times = [int(line) for line in result.outputs["sessions.py.stdout"].split()]
    return [each / sum(times) for each in times]


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_the_weight_of_a_session_is_divided_as_its_tasks_are_among_cpus(
    tmp_path: Path, fair: str, scheme: str
) -> None:
    got = shares(tmp_path, [[0, 1], [0, 1, 1, 1]], 2, fair, scheme)
    # of CPU 0 the first has 1/2 and the second 1/4 of a weight, of CPU 1 it is 1/2 and 3/4
    due = (512 / (512 + 256) + 512 / (512 + 768)) / 2
    assert got == pytest.approx([due, 1 - due], rel=0.03)


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_sessions_that_are_spread_alike_share_equally(tmp_path: Path, fair: str) -> None:
    got = shares(tmp_path, [[0, 1], [0, 0, 1, 1], [0, 0, 0, 1, 1, 1]], 2, fair, "exact")
    assert got == pytest.approx([1 / 3, 1 / 3, 1 / 3], rel=0.03)


UNBOUND = """
import os
import time

from workloads.guest import compute

until_ns = time.monotonic_ns() + LENGTH_NS
readers = []
for number in SESSIONS:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        for _ in range(number):
            if os.fork() == 0:
                begun_ns = time.process_time_ns()
                while time.monotonic_ns() < until_ns:
                    compute(1_000_000)
                os.write(writer, f"{time.process_time_ns() - begun_ns} ".encode())
                os._exit(0)
        for _ in range(number):
            os.wait()
        os._exit(0)
    os.close(writer)
    readers.append(reader)
for reader in readers:
    os.wait()
for reader in readers:
    print(sum(map(int, os.read(reader, 1000).split())))
"""


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize("cpus", [2, 3])
@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_sessions_of_unequal_size_share_a_machine_as_if_they_were_tasks(
    tmp_path: Path, fair: str, cpus: int, levels: bool
) -> None:
    text = UNBOUND.replace("SESSIONS", "[2, 4, 6]").replace("LENGTH_NS", "3_000_000_000")
    path = tmp_path / "sessions.py"
    path.write_text(text)
    places = tuple((0, 0, 0, cpu, cpu, 1024) for cpu in range(cpus)) if levels else ()
    spec = guest_spec(path, [], cpus=cpus, fair=fair, trace=False, places=places)
    result = run_machine(request_of_machine(spec, "exact", max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    times = [int(line) for line in result.outputs["sessions.py.stdout"].split()]
    assert sum(times) >= 2_950_000_000 * cpus
    # balancing leaves a difference of a sixth between two CPUs; with the tasks' own weights the
    # first session has 27 percent of two CPUs
    assert [each / sum(times) for each in times] == pytest.approx([1 / 3] * 3, abs=0.025)
