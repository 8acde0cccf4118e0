"""CPUs that run free on a real Ray: recorded, made again, bounded, and ended in every way."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster import engine_api
from cluster.build import guest_spec
from cluster.config import ConfigError, parse_config
from cluster.engine_api import RunRequest, RunResult
from cluster.local_engine import run_local
from cluster.ray_engine import run_ray
from cluster.request import request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from tests.cluster.test_ray_engine import actor_processes

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("local_ray")]

Make = Callable[..., RunRequest]
FOUR = "machine: {cpus: 4}\n"
SLACK_NS = 60_000


@pytest.fixture
def asked(make_request: Make, tmp_path: Path) -> Make:
    """Requests of four CPUs that run free, two to an actor, with a run directory."""

    def make(workload: str = "storm", scheme: str = "lax", **changes: Any) -> RunRequest:
        options: dict[str, Any] = {
            "scheme": scheme,
            "slack_ns": SLACK_NS if scheme == "slack" else None,
            "config": FOUR,
            "cpus_per_actor": 2,
            "quantum_ns": 20_000,
            "out_dir": tmp_path,
        }
        return make_request(workload, **{**options, **changes})

    return make


def replayed(folder: Path) -> RunResult:
    """Make the run in a directory again."""
    return run_local(request_of_log(RecordedOrder(folder / ORDER_LOG)))


@pytest.mark.parametrize("link", ["shm", "calls"])
@pytest.mark.parametrize("scheme", ["lax", "slack"])
def test_a_run_replays_on_the_local_engine_to_the_same_digest_and_the_bound_is_kept(
    asked: Make, tmp_path: Path, scheme: str, link: str
) -> None:
    result = run_ray(asked("prefork_server", scheme, link=link))
    assert (result.exit_kind, result.message) == (engine_api.DONE, "")
    again = replayed(tmp_path)
    assert again.digest == result.digest
    assert again.outputs == result.outputs
    if scheme == "slack":
        assert 0 < result.summary["run"]["furthest_ahead_ns"] <= SLACK_NS


def test_an_actor_for_each_cpu_and_one_for_all_run_free(asked: Make, tmp_path: Path) -> None:
    for per_actor in (1, 4):
        folder = tmp_path / str(per_actor)
        folder.mkdir()
        result = run_ray(asked("thread_group_exit", out_dir=folder, cpus_per_actor=per_actor))
        assert result.exit_kind == engine_api.DONE
        assert replayed(folder).digest == result.digest


@pytest.mark.parametrize("link", ["shm", "calls"])
def test_a_deadlock_is_told_as_on_the_local_engine(tmp_path: Path, link: str) -> None:
    program = tmp_path / "waits.py"
    program.write_text("import os\nr, w = os.pipe()\nos.read(r, 1)\n")
    spec = guest_spec(program, [], cpus=2)
    result = run_ray(RunRequest(spec, engine="ray", scheme="lax", link=link))
    assert result.exit_kind == engine_api.DEADLOCK
    assert "sleeps in read" in result.message


@pytest.mark.parametrize("link", ["shm", "calls"])
def test_ctrl_c_ends_the_run_where_all_are_at_rest_and_it_replays_up_to_there(
    asked: Make, tmp_path: Path, link: str
) -> None:
    pressed: list[int] = []

    def press(virtual_ns: int, counters: dict[str, int]) -> None:
        if not pressed:
            pressed.append(virtual_ns)
            os.kill(os.getpid(), signal.SIGINT)

    result = run_ray(asked(link=link, on_progress=press))
    assert (result.exit_kind, result.message) == (engine_api.INTERRUPTED, "stopped by Ctrl-C")
    assert result.digest
    assert replayed(tmp_path).digest == result.digest


@pytest.mark.parametrize("link", ["shm", "calls"])
@pytest.mark.parametrize(
    ("victim", "name"), [("FreeCpuActor", "cpu actor 0-3"), ("FreeKernelActor", "kernel actor")]
)
def test_a_killed_actor_ends_the_run_with_its_name(
    asked: Make, capfd: pytest.CaptureFixture[str], victim: str, name: str, link: str
) -> None:
    killed: list[int] = []

    def kill(virtual_ns: int, counters: dict[str, int]) -> None:
        if not killed:
            killed.extend(actor_processes(victim))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    result = run_ray(asked(link=link, cpus_per_actor=4, on_progress=kill))
    assert len(killed) == 1
    assert (result.exit_kind, result.message) == (engine_api.BROKEN, f"{name} died")
    time.sleep(1.0)  # what Ray has to say comes late
    assert capfd.readouterr() == ("", "")


def test_cpus_that_wait_use_no_host_time(tmp_path: Path) -> None:
    """A guest that spins on one CPU, while three actors have nothing to do."""
    program = tmp_path / "spins.py"
    program.write_text("import os\nwhile True:\n    os.getppid()\n")
    used: dict[int, float] = {}

    def look(virtual_ns: int, counters: dict[str, int]) -> None:
        for pid in actor_processes("FreeCpuActor"):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        looks.append(dict(used))

    looks: list[dict[int, float]] = []
    spec = guest_spec(program, [], cpus=4)
    result = run_ray(
        RunRequest(
            spec,
            engine="ray",
            scheme="lax",
            cpus_per_actor=1,
            link="shm",
            max_wall_s=20.0,
            on_progress=look,
        )
    )
    assert (result.exit_kind, result.message) == (engine_api.LIMIT, engine_api.WALL_LIMIT)
    spent = sorted(looks[-1][pid] - looks[0][pid] for pid in looks[0])
    assert len(spent) == 4
    assert spent[-1] > 0
    assert spent[-2] < spent[-1] / 4


def test_a_graph_has_rounds_and_is_refused(make_request: Make) -> None:
    text = "name: c\nengine: ray\nray: {link: graph}\nsync: {scheme: lax}\n"
    with pytest.raises(ConfigError, match="a graph has rounds, and CPUs run free under lax"):
        parse_config("c.yaml", text + "workloads: [{program: cow_touch}]\n", Path())
    with pytest.raises(ValueError, match="link graph has rounds"):
        run_ray(make_request("storm", engine="ray", scheme="lax", link="graph"))
