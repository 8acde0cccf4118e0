"""The kernel's models show what the machines of litmus tests show."""

from types import SimpleNamespace

import pytest

from kernel.drive.memory import make_memory_model
from kernel.drive.ways import versioned
from kernel.points import LOAD
from tests.kernel.memory.shapes_machine import explore_kernel
from workloads.litmus.machines.explore import MACHINES, explore
from workloads.litmus.parser import parse_litmus
from workloads.litmus.shapes import make_shape, variant_names

# What paths of a kernel cannot show: a load done after a store behind it.
LATE_LOADS = (*("LB+o+o", "LB+o+data", "LB+rel+o", "S+wmb+o", "WWC+o+o+o", "ISA2+rel+o+acq"),)
# What a model cannot see: that the number of an address comes from a load.
ADDRESSES = {name for name in variant_names() if "addr" in name.split("+")}
EACH = pytest.mark.parametrize("name", variant_names())


@EACH
@pytest.mark.parametrize("model", ["sc", "tso", "pso"])
def test_a_kernels_model_leaves_each_shape_in_the_states_of_the_litmus_machine(
    name: str, model: str
) -> None:
    test = parse_litmus(make_shape(name))
    assert model in MACHINES
    assert set(explore_kernel(test, model).states) == set(explore(test, model).states)


@EACH
@pytest.mark.parametrize("model", ["arm", "weak"])
def test_a_model_with_old_versions_lacks_no_state_but_those_of_late_loads(
    name: str, model: str
) -> None:
    test = parse_litmus(make_shape(name))
    found = set(explore_kernel(test, model).states)
    shown = set(explore(test, model).states)
    if name not in ADDRESSES:
        assert found <= shown
    if name not in LATE_LOADS:
        assert found >= shown


@pytest.mark.parametrize("model", ["arm", "weak"])
def test_what_was_there_before_an_atomic_update_can_be_read_late_though_nobody_had_stored_it(
    model: str,
) -> None:
    machine = versioned(make_memory_model(model))
    assert machine is not None
    word = SimpleNamespace(v=0)
    machine.load(1, SimpleNamespace(v=0), "v", LOAD)
    assert machine.update(0, word, "v") == 0
    word.v = 1
    machine.settle(0)
    assert machine.ways(1, LOAD, (word, "v")) == 2
    machine.way = 1
    assert machine.load(1, word, "v", LOAD) == 0
