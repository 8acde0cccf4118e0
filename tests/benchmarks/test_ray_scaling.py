"""The benchmark of Ray's scaling measures what it says."""

from dataclasses import asdict, replace

import pytest

from cluster.engine import run_machine
from tests.benchmarks import ray_floors, ray_scaling
from tests.benchmarks.ray_floors import checked, codec_floors, empty_round_us
from tests.benchmarks.ray_scaling import measured, memory_kib, middle, show

LIFECYCLES = 40


def test_a_storm_has_the_lifecycles_that_were_asked_for() -> None:
    result = checked(run_machine(ray_scaling.request(4, LIFECYCLES)))
    # of the children; the storm itself and its four parents have theirs, too
    assert ray_scaling.lifecycles_of(result) == LIFECYCLES + 5
    lifecycles, requests = ray_scaling.rates(result)
    assert requests > 4 * lifecycles > 0


def test_guests_that_compute_make_the_calls_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_scaling, "_TURNS", 1_000)
    result = checked(run_machine(ray_scaling.request(4, 0, load="10")))
    # 100 calls; four processes are forked, end and are waited for
    assert 100 < result.summary["other"]["kernel_requests"] < 150


def test_the_floors_are_of_the_messages_that_travel() -> None:
    floors = codec_floors(ray_scaling.request(4, LIFECYCLES, "2"))
    assert 20 < floors["bytes"] < 2_000
    assert min(floors.values()) > 0


def test_the_memory_of_a_process_is_known() -> None:
    assert memory_kib() > 10_000


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize(
    "scheme, pack", [("barrier", "2"), ("redblack", "2"), ("lax", "2"), ("redblack", "25%")]
)
def test_a_row_has_a_round_and_a_run_of_its_link(
    scheme: str, pack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_floors, "EMPTY_S", 0.05)
    empty_us = empty_round_us("shm", 2, bytes(100))
    wanted = ray_scaling.request(4, LIFECYCLES, pack, "shm", scheme)
    row = measured(wanted, "storm", pack, empty_us, pin=True)
    assert (row.scheme, row.cpus, row.pack, row.link) == (scheme, 4, pack, "shm")
    assert min(row.driver_cores, row.kernel_cores, row.groups_cores, empty_us) > 0
    assert 0 < row.kernel_share < 1
    assert row.actors_mib > 20
    show({"empty_us": {}, "local": {}, "codec": {}, "rows": [asdict(row)]})
    assert capsys.readouterr().out.splitlines()[-1].split()[:5] == [
        *("storm", scheme, "4", pack, "shm")
    ]


def test_of_several_runs_the_medians_count() -> None:
    values = {
        name: 0.0
        for name, kind in ray_scaling.Row.__annotations__.items()
        if kind is float or kind == "float"
    }
    row = ray_scaling.Row(**values, load="storm", scheme="lax", cpus=4, pack="2", link="shm")
    rows = [replace(row, of_local=ratio) for ratio in (0.5, 1.0, 0.8)]
    assert middle(rows) == replace(row, of_local=0.8, spread=2.0)
