"""The benchmark of Ray's scaling measures what it says."""

import pytest

from cluster.engine import run_machine
from tests.benchmarks import ray_scaling
from tests.benchmarks.ray_scaling import checked, codec_floors, empty_round_us, measured, show

LIFECYCLES = 40


def test_a_storm_has_the_lifecycles_that_were_asked_for() -> None:
    result = checked(run_machine(ray_scaling.request(4, LIFECYCLES)))
    # of the children; the storm itself and its four parents have theirs, too
    assert ray_scaling.lifecycles_of(result) == LIFECYCLES + 5
    lifecycles, requests = ray_scaling.rates(result)
    assert requests > 4 * lifecycles > 0


def test_the_floors_are_of_the_messages_that_travel() -> None:
    floors = codec_floors(4, LIFECYCLES, 2)
    assert 100 < floors["bytes"] < 10_000
    assert min(floors.values()) > 0


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_a_row_has_a_round_and_a_run_of_its_link(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_scaling, "EMPTY_S", 0.05)
    empty_us = empty_round_us("shm", 2, bytes(100))
    row = measured(4, 2, "shm", LIFECYCLES, empty_us)
    assert (row.cpus, row.actors, row.link) == (4, 2, "shm")
    assert min(row.driver_us, row.kernel_us, row.groups_us, row.empty_us) > 0
    show({"local": {}, "codec": {}, "rows": [vars(row)]})
    assert capsys.readouterr().out.splitlines()[-1].split()[:3] == ["4", "2", "shm"]
