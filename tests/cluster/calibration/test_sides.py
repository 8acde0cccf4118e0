"""The probe on both sides."""

from dataclasses import replace

import pytest

from cluster.calibration.sides import (
    ProbeError,
    blocks_of,
    emulated_numbers,
    native_numbers,
    usable_cpus,
)
from cluster.calibration.steps import PROBES, STEPS, value_of
from kernel.costs import Costs


@pytest.mark.parametrize("kind", sorted(PROBES))
def test_every_kind_of_the_probe_runs_emulated(kind: str) -> None:
    numbers = emulated_numbers(kind, Costs())
    assert numbers.busy > 0


@pytest.mark.parametrize("step", STEPS, ids=lambda step: "+".join(step.costs))
def test_every_cost_has_a_part_in_what_it_goes_by(step: object) -> None:
    assert isinstance(step, type(STEPS[0]))
    values = []
    for more in (0, 10_000):
        costs = replace(Costs(), **{name: getattr(Costs(), name) + more for name in step.costs})
        kinds = {step.probe, step.less} - {""}
        values.append(value_of(step, {kind: emulated_numbers(kind, costs) for kind in kinds}))
    assert values[1] > values[0]


@pytest.mark.parametrize("kind", ["block", "fork", "ring"])
def test_the_probe_runs_on_the_host(kind: str) -> None:
    if not usable_cpus():
        pytest.skip("no CPU")
    numbers = native_numbers(kind)
    assert 0 < numbers.own <= numbers.busy


def test_what_a_probe_says_must_be_numbers() -> None:
    assert blocks_of(b"1 2 3 4\n5 6 7 8\n") == [(1, 2, 3, 4), (5, 6, 7, 8)]
    with pytest.raises(ProbeError, match="the probe said"):
        blocks_of(b"Traceback\n")
