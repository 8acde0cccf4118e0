"""A few recorded runs whose CPUs ran free, made again; ``make soak`` makes hundreds."""

import pytest

from tests.oracle.replays import WORKLOADS, replays


def check(engine: str, scheme: str, seeds: range) -> None:
    """Make a run of each workload for each seed, and each again."""
    found = [one for name in WORKLOADS for one in replays(engine, scheme, name, seeds)]
    assert [f"seed {seed}: {what}" for seed, _, what in found if what] == []
    assert len({digest for _, digest, _ in found}) > len(WORKLOADS)  # orders do differ


@pytest.mark.parametrize("scheme", ["lax", "slack"])
def test_free_runs_are_made_again_to_the_same_digest(scheme: str) -> None:
    check("local", scheme, range(1, 4))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("scheme", ["lax", "slack"])
def test_free_runs_on_ray_are_made_again_to_the_same_digest(scheme: str) -> None:
    check("ray", scheme, range(1, 3))
