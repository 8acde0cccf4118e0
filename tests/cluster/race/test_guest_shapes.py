"""Guest programs under each memory model come to the states of the litmus machine, no others."""

from pathlib import Path

import pytest

from tests.cluster.race.guest_shapes import printed_by, scenario_of_shape, states_printed
from tests.kernel.memory.test_models import ADDRESSES, LATE_LOADS
from tests.soak import one_in
from workloads.litmus.machines.explore import explore
from workloads.litmus.parser import parse_litmus
from workloads.litmus.shapes import make_shape, variant_names

SHAPES = ("SB", "MP", "LB", "S", "R", "2+2W", "WRC", "IRIW")
NAMES = [
    name
    for name in variant_names()
    if name.startswith(tuple(f"{shape}+" for shape in SHAPES)) and name not in ADDRESSES
]
QUICK = ("SB+o+o", "SB+mb+mb", "MP+o+o", "MP+wmb+rmb")
MODELS = ("sc", "tso", "pso", "arm", "weak")
MOST_RUNS = 400  # of 20 rounds each


@pytest.mark.parametrize(
    ("name", "model"),
    [
        *((name, model) for name in QUICK for model in MODELS),
        *one_in(
            3,  # the number of models is no multiple of it: each shape is taken, each model too
            [
                pytest.param(name, model, marks=[pytest.mark.slow])
                for name in NAMES
                if name not in QUICK
                for model in MODELS
            ],
        ),
    ],
)
def test_a_guest_program_shows_what_the_litmus_machine_shows(
    tmp_path: Path, name: str, model: str
) -> None:
    machine = explore(parse_litmus(make_shape(name)), model)
    late = model in ("arm", "weak") and name in LATE_LOADS
    scenario = scenario_of_shape(tmp_path, name, model)
    shown: set[tuple[int, ...]] = set()
    for seed in range(20 if late else MOST_RUNS):
        shown |= states_printed(name, printed_by(scenario, seed), machine.places)
        assert shown <= set(machine.states)
        if len(shown) == len(machine.states):
            return
    assert late, sorted(set(machine.states) - shown)
