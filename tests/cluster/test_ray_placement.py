"""Where actors are placed: on how many hosts, which on which, and what if there is no room."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import ray_placement
from cluster.engine import run_machine
from cluster.ray_placement import Placement
from cluster.ray_session import RayUnreachable
from tests.cluster.two_hosts import ROOT, two_hosts
from tests.oracle.ray_equality import WORKLOADS, schemes

pytestmark = pytest.mark.ray


class Group:
    """A placement group that is there at the question ``at``; None: never."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.asked = 0

    def wait(self, seconds: float) -> bool:
        self.asked += 1
        return self.at is not None and self.asked >= self.at


@pytest.fixture
def ray_with(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Any]]]:
    """Replace Ray by one whose hosts have so many cores; what is asked of it is in the list."""

    def make(*cores: int, at: int | None = 1) -> list[Any]:
        asked: list[Any] = []
        nodes = [{"Alive": True, "Resources": {"CPU": float(each)}} for each in cores]
        nodes.append({"Alive": False, "Resources": {"CPU": 64.0}})
        nodes.append({"Alive": True, "Resources": {"memory": 1.0}})
        monkeypatch.setattr("ray.nodes", lambda: nodes)

        def group(bundles: list[dict[str, int]], strategy: str) -> Group:
            asked.append((strategy, [bundle["CPU"] for bundle in bundles]))
            return Group(at)

        monkeypatch.setattr("ray.util.placement_group", group)
        monkeypatch.setattr(
            "ray.util.remove_placement_group", lambda group: asked.append("removed")
        )
        return asked

    yield make


def look() -> None:
    """Nothing happens meanwhile."""


def test_a_cluster_of_one_host_needs_no_group(ray_with: Callable[..., list[Any]]) -> None:
    asked = ray_with(8)
    placement = Placement(None, 16, look)
    assert (placement.hosts, placement.options(3), asked) == (1, {}, [])
    placement.remove()
    assert asked == []


def test_all_hosts_with_cores_get_an_equal_share_of_neighbours(
    ray_with: Callable[..., list[Any]],
) -> None:
    asked = ray_with(8, 4, 8)
    placement = Placement(None, 7, look)
    assert asked == [("STRICT_SPREAD", [3, 3, 3])]
    assert [placement.host_of(actor) for actor in range(7)] == [0, 0, 0, 1, 1, 2, 2]
    strategy = placement.options(4)["scheduling_strategy"]
    assert strategy.placement_group_bundle_index == 1


def test_no_bundle_takes_more_cores_than_each_host_has(
    ray_with: Callable[..., list[Any]],
) -> None:
    asked = ray_with(2, 4)
    Placement(2, 64, look)
    assert asked == [("STRICT_SPREAD", [2, 2])]


def test_fewer_hosts_are_taken_than_there_are_if_so_wanted_the_largest_of_them(
    ray_with: Callable[..., list[Any]],
) -> None:
    asked = ray_with(2, 16, 8)
    assert Placement(1, 8, look).hosts == 1
    assert Placement(2, 8, look).hosts == 2
    assert asked == [("STRICT_SPREAD", [8]), ("STRICT_SPREAD", [4, 4])]


def test_there_are_no_more_hosts_than_actors(ray_with: Callable[..., list[Any]]) -> None:
    asked = ray_with(4, 4, 4)
    assert Placement(3, 2, look).hosts == 2
    assert asked == [("STRICT_SPREAD", [1, 1])]


def test_hosts_that_must_be_started_are_waited_for(ray_with: Callable[..., list[Any]]) -> None:
    asked = ray_with(4, at=50)
    looked: list[int] = []
    assert Placement(3, 6, lambda: looked.append(1)).hosts == 3
    assert asked == [("STRICT_SPREAD", [1, 1, 1])]
    assert len(looked) == 49


def test_no_room_is_one_line_and_nothing_is_left(
    ray_with: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ray_with(4, 2, at=None)
    monkeypatch.setattr(ray_placement, "_PLACED_S", 0.0)
    said = "Ray has no 2 hosts with 2 free cores each, after 0 s (cores of its hosts: 4, 2)"
    with pytest.raises(RayUnreachable, match=re.escape(said)):
        Placement(None, 6, look)
    assert asked[-1] == "removed"


def test_ctrl_c_while_it_waits_leaves_nothing(ray_with: Callable[..., list[Any]]) -> None:
    asked = ray_with(4, 4, at=None)

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Placement(None, 8, interrupted)
    assert asked[-1] == "removed"


# -- a cluster of two hosts on this machine -----------------------------------------------------


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start a cluster of two hosts of two cores; the environment of processes that join it."""
    with two_hosts(tmp_path_factory.mktemp("home")) as hosts:
        yield hosts.environment


CONFIG = """name: spread
engine: ray
machine: {cpus: 8}
sync: {scheme: barrier}
ray: {address: auto, cpus_per_actor: 2}
workloads:
  - program: fork_exec_storm
    params: {parents: 6, children: 6, compute: "uniform:10us:50us", touch: "uniform:0:4", pages: 8}
"""


LOST = "the compiled graph lost a message, going on with actor calls"


def run_on(environment: dict[str, str], folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Run CONFIG as a user does; return its summary and what it printed."""
    (folder / "c.yaml").write_text(CONFIG, "utf-8")
    process = subprocess.run(
        [sys.executable, "-c", "from cluster.entry import main; main()", "run", "c.yaml", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    # on a busy host a graph may lose a message, which costs nothing but time and is told
    told = [line for line in process.stderr.splitlines() if LOST not in line]
    assert (process.returncode, told) == (0, [])
    (summary,) = folder.glob("runs/*/summary.json")
    return json.loads(summary.read_text("utf-8")), process.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("hosts", "link"), [("1", "auto"), ("auto", "auto"), ("2", "graph"), ("2", "calls")]
)
def test_the_digest_does_not_depend_on_the_number_of_hosts_nor_on_the_link(
    cluster: dict[str, str], tmp_path: Path, hosts: str, link: str
) -> None:
    from cluster.build import resolve
    from cluster.config import parse_config
    from cluster.request import request_of

    loaded = parse_config("c.yaml", CONFIG, tmp_path, [("", "engine=local")])
    local = run_machine(request_of(loaded, resolve(loaded)))
    options = ["--set", f"ray.hosts={hosts}", "--set", f"ray.link={link}"]
    summary, printed = run_on(cluster, tmp_path, *options, "-q")
    assert local.digest in printed
    assert summary["wall"]["hosts"] == (1 if hosts == "1" else 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_workload_has_the_local_bytes_under_every_scheme_packing_and_number_of_hosts(
    cluster: dict[str, str],
) -> None:
    """One run for each workload; ``make soak`` makes all."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.oracle.ray_equality", "--few", "--join"],
        cwd=ROOT,
        env=cluster,
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.count(" 1 of   1 the same") == len(WORKLOADS)
    assert all(f" {scheme} " in process.stdout for scheme in schemes())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_cores_are_given_back_when_the_run_ends(cluster: dict[str, str], tmp_path: Path) -> None:
    """The two hosts have room for one run at a time."""
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        summary, _ = run_on(cluster, folder, "--set", "ray.hosts=2", "-q")
        assert summary["wall"]["hosts"] == 2
