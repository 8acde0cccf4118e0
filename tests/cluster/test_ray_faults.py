"""Runs on Ray with slow actors, lost calls and lost hosts: they end with the same bytes."""

import os

import pytest

from cluster.engine_api import DONE
from cluster.local_engine import run_local
from tests.cluster.changed_turns import Change
from tests.cluster.lost_calls import run_with_lost_calls
from tests.cluster.lost_hosts import smplab
from tests.cluster.slowed import slowed
from tests.cluster.struck import KERNEL, Blow, Struck, differences, request_on_ray
from tests.cluster.two_hosts import ROOT, two_hosts
from tests.soak import one_in, soaked

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the local run that all of these must equal, and its directory."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    return run_local(request_on_ray(folder, engine="local", checkpoint=None)), folder


def check_same(run, folder, plain, recoveries):
    result = run.run()
    wanted, its_folder = plain
    assert (result.exit_kind, result.message) == (DONE, "")
    assert result.digest == wanted.digest
    assert differences(folder, its_folder) == []
    assert run.recoveries == recoveries


@pytest.mark.parametrize(
    "change",
    [
        Change(0, late_s=0.01),
        soaked(Change(KERNEL, late_s=0.1)),
        soaked(Change(1, busy=(40, 12.0))),
        pytest.param(Change(KERNEL, busy=(40, 12.0)), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_who_is_late_or_has_much_to_do_is_not_taken_for_lost(local_ray, tmp_path, plain, change):
    run = Struck(request_on_ray(tmp_path / "run"), [], [change])
    check_same(run, tmp_path / "run", plain, 0)


@pytest.mark.slow
@pytest.mark.parametrize("actor", [KERNEL, soaked(1)])
def test_an_actor_that_is_fifty_times_slower_is_not_taken_for_lost(
    local_ray, tmp_path, plain, actor
):
    run = Struck(request_on_ray(tmp_path / "run"), [])

    def pid():
        return run.actors.places[actor][1] if run.actors and run.actors.places else None

    with slowed(pid, 50) as periods:
        check_same(run, tmp_path / "run", plain, 0)
    assert len(periods) > 10


@pytest.mark.parametrize(
    ("actor", "when"),
    [
        (KERNEL, "after"),
        pytest.param(0, "before", marks=pytest.mark.slow),
        soaked(pytest.param(KERNEL, "before")),
        soaked(pytest.param(1, "after")),
    ],
)
def test_an_actor_that_dies_in_its_turn_is_replaced(local_ray, tmp_path, plain, actor, when):
    run = Struck(request_on_ray(tmp_path / "run"), [], [Change(actor, dies=(50, when))])
    check_same(run, tmp_path / "run", plain, 1)


@pytest.mark.slow
def test_an_actor_that_dies_between_the_phases_of_a_checkpoint_is_replaced(
    local_ray, tmp_path, plain
):
    run = Struck(request_on_ray(tmp_path / "run"), [Blow("commit", 40, [KERNEL])])
    check_same(run, tmp_path / "run", plain, 1)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("link", "kind"),
    one_in(3, [("calls", "req"), ("calls", "in_flight"), ("shm", "resp"), ("graph", "resp")]),
)
def test_calls_that_ray_loses_are_made_again_and_carried_out_once(tmp_path, plain, link, kind):
    ended = run_with_lost_calls(tmp_path / "run", link, 6, {kind: 6})
    wanted, its_folder = plain
    assert (ended["kind"], ended["message"]) == (DONE, "")
    assert ended["digest"] == wanted.digest
    assert differences(tmp_path / "run", its_folder) == []


# -- two hosts -------------------------------------------------------------------------------------

ALONE = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Return what the run prints that the hosts' runs must equal."""
    words = ("run", "hosts.yaml", "-q", "--engine", "local")
    return smplab(tmp_path_factory.mktemp("alone"), ALONE, (0, 0), *words).stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_whose_host_is_lost_goes_on_on_the_other(tmp_path, printed):
    (tmp_path / "home").mkdir()
    with two_hosts(tmp_path / "home") as hosts:
        blow = (12, hosts.raylet)
        words = ("run", "hosts.yaml", "--log-format", "json")
        done = smplab(tmp_path, hosts.environment, blow, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(printed)
    assert "died: the run goes on from superstep " in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_rays_control_service_a_run_ends_in_a_line_and_goes_on_on_another_ray(
    tmp_path, printed
):
    (tmp_path / "home").mkdir()
    with two_hosts(tmp_path / "home") as hosts:
        done = smplab(tmp_path, hosts.environment, (12, hosts.gcs), "run", "hosts.yaml", "-q")
    [run] = (tmp_path / "runs").iterdir()
    assert done.returncode == 3, done.stderr
    assert done.stderr == (
        f"smplab: run broke: Ray's control service at {hosts.environment['RAY_ADDRESS']} is gone "
        f"(smplab resume runs/{run.name} goes on from its last checkpoint)\n"
    )
    words = ("resume", str(run), "-q", "--address", "local")
    done = smplab(tmp_path, ALONE, (0, 0), *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed
