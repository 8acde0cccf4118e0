"""Runs on Ray whose actors are killed or stopped: they go on by themselves, with the same bytes."""

import signal
import time
from dataclasses import replace

import pytest

from cluster.engine_api import BROKEN, DONE, CheckpointPlan
from cluster.local_engine import run_local
from cluster.ray_engine import run_ray
from cluster.request import request_of_log
from cluster.resume import Resumed
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from tests.cluster.killed import STORM, storm
from tests.cluster.struck import ALL, KERNEL, Blow, Struck, differences, request_on_ray
from tests.soak import soaked

pytestmark = pytest.mark.ray

LINKS = ("shm", "graph", "calls")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the local run that all of these must equal, and its directory."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    return run_local(request_on_ray(folder, engine="local", checkpoint=None)), folder


def check_same(result, folder, plain):
    wanted, its_folder = plain
    assert (result.exit_kind, result.message) == (DONE, "")
    assert result.digest == wanted.digest
    assert result.outputs == wanted.outputs
    assert differences(folder, its_folder) == []


@pytest.mark.parametrize(
    "link", ["shm", pytest.param("graph", marks=pytest.mark.slow), soaked("calls")]
)
def test_a_run_whose_actors_die_one_after_the_other_has_the_same_bytes(
    local_ray, tmp_path, plain, link
):
    blows = [
        Blow("round", 40, [KERNEL]),
        Blow("take_up", 0, [0]),
        Blow("idle", 80, [1, KERNEL]),
    ]
    run = Struck(request_on_ray(tmp_path / "run", link), blows)
    check_same(run.run(), tmp_path / "run", plain)
    assert run.recoveries == len(run.struck) == 3


@pytest.mark.parametrize("link", ["shm", soaked("calls")])
def test_a_run_with_two_supersteps_under_way_goes_on_from_both(local_ray, tmp_path, link):
    plain = request_on_ray(tmp_path / "plain", engine="local", scheme="redblack", checkpoint=None)
    wanted = run_local(plain)
    blows = [
        Blow("round", 40, [KERNEL]),
        Blow("take_up", 0, [0]),
        Blow("keep", 60, [1]),
        Blow("idle", 80, ALL),
    ]
    request = request_on_ray(tmp_path / "run", link, scheme="redblack", max_recoveries=4)
    run = Struck(request, blows)
    check_same(run.run(), tmp_path / "run", (wanted, tmp_path / "plain"))
    assert run.recoveries == len(run.struck) == 4


@pytest.mark.parametrize(
    ("scheme", "link"),
    [
        ("slack", "calls"),
        pytest.param("lax", "shm", marks=pytest.mark.slow),
        soaked(pytest.param("lax", "calls")),
        soaked(pytest.param("slack", "shm")),
    ],
)
def test_a_run_without_rounds_goes_on_from_a_pause_and_replays(local_ray, tmp_path, scheme, link):
    blows = [
        Blow("idle", 50, [0]),
        Blow("take_up", 0, [1]),
        Blow("keep", 90, [KERNEL]),
        Blow("round", 140, ALL),
    ]
    words = [*STORM[:1], "children=20", *STORM[2:]]
    if link == "shm":  # there the driver hears of it every tenth of a second only
        words[1] = "children=600"
        del blows[2:]
    request = request_on_ray(tmp_path / "run", link, scheme=scheme, max_recoveries=4)
    request = replace(request, spec=storm(8, words), slack_ns=60_000 if scheme == "slack" else None)
    run = Struck(request, blows)
    result = run.run()
    assert (result.exit_kind, result.message) == (DONE, "")
    assert run.recoveries == len(run.struck)
    assert run.blows == []
    again = run_local(request_of_log(RecordedOrder(tmp_path / "run" / ORDER_LOG)))
    assert again.digest == result.digest
    assert again.statuses == result.statuses


@pytest.mark.parametrize(
    "blow",
    [
        Blow("keep", 60, [0]),
        Blow("finish", 0, ALL),
        pytest.param(Blow("keep", 60, [KERNEL]), marks=pytest.mark.slow),
        pytest.param(Blow("finish", 0, [KERNEL]), marks=pytest.mark.slow),
        pytest.param(Blow("round", 90, ALL), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_run_is_recovered_from_a_blow_at_a_bad_moment(local_ray, tmp_path, plain, blow):
    run = Struck(request_on_ray(tmp_path / "run"), [blow])
    check_same(run.run(), tmp_path / "run", plain)
    assert run.recoveries == len(run.struck) == 1


@pytest.mark.parametrize("checkpoint", [CheckpointPlan(3600.0), None])
def test_a_run_without_a_checkpoint_begins_anew_when_an_actor_dies(
    local_ray, tmp_path, plain, checkpoint
):
    request = request_on_ray(tmp_path / "run", "calls", checkpoint=checkpoint)
    run = Struck(request, [Blow("idle", 20, [0])])
    check_same(run.run(), tmp_path / "run", plain)
    assert run.recoveries == 1


@pytest.mark.parametrize("link", ["shm", soaked("graph"), soaked("calls")])
def test_a_stopped_actor_is_found_within_ten_seconds_and_replaced(local_ray, tmp_path, plain, link):
    class Timed(Struck):
        """Notes how long it takes from the blow to the recovery."""

        found_s = 0.0
        stopped_s = 0.0

        def _strike(self, point):
            before = len(self.struck)
            super()._strike(point)
            if len(self.struck) > before:
                self.stopped_s = time.monotonic()

        def _recover(self, why):
            self.found_s = time.monotonic() - self.stopped_s
            super()._recover(why)

    blows = [Blow("idle", 40, [0], signal.SIGSTOP)]
    run = Timed(request_on_ray(tmp_path / "run", link), blows)
    check_same(run.run(), tmp_path / "run", plain)
    assert run.recoveries == 1
    assert run.found_s < 10.0


def test_a_run_gives_up_after_so_many_recoveries(local_ray, tmp_path):
    request = request_on_ray(tmp_path / "run", "calls", max_recoveries=1)
    result = Struck(request, [Blow("idle", 40, [0]), Blow("idle", 80, [0])]).run()
    assert result.exit_kind == BROKEN
    assert result.message == "cpu actor 0-3 died (after 1 recoveries)"


@pytest.mark.slow
def test_a_run_that_dies_three_times_at_one_place_is_given_up_with_recoveries_left(
    local_ray, tmp_path
):
    blows = [Blow("idle", 40, [0]), Blow("take_up", 0, [0]), Blow("take_up", 0, [0])]
    request = request_on_ray(tmp_path / "run", "calls", max_recoveries=9)
    result = Struck(request, blows).run()
    assert result.exit_kind == BROKEN
    assert result.message == (
        "cpu actor 0-3 died (after 2 recoveries); "
        "it got no further than superstep 41, 3 times in a row"
    )


def test_a_run_that_gave_up_is_gone_on_with(local_ray, tmp_path, plain):
    request = request_on_ray(tmp_path / "run", "calls", max_recoveries=0)
    assert Struck(request, [Blow("idle", 40, [KERNEL])]).run().exit_kind == BROKEN
    reached = []
    result = Resumed(tmp_path / "run", print).go_on(
        run_ray, lambda found: reached.append(found and found.supersteps)
    )
    check_same(result, tmp_path / "run", plain)
    assert reached[0] >= 32
