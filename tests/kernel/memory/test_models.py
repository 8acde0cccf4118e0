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


_RELEASE_THEN_ACQUIRE = """C SB+rel-acq+rel-acq
{}
P0(int *x, int *y) { smp_store_release(x, 1); int r0 = smp_load_acquire(y); }
P1(int *x, int *y) { smp_store_release(y, 1); int r0 = smp_load_acquire(x); }
exists (0:r0=0 /\\ 1:r0=0)
"""
_RELEASE_THEN_WMB = """C WRC+rel-wmb+rmb
{}
P0(int *x) { WRITE_ONCE(*x, 1); }
P1(int *x, int *y, int *z) {
    int r0 = READ_ONCE(*x); smp_store_release(z, 1); smp_wmb(); WRITE_ONCE(*y, 1);
}
P2(int *x, int *y) { int r0 = READ_ONCE(*y); smp_rmb(); int r1 = READ_ONCE(*x); }
exists (1:r0=1 /\\ 2:r0=1 /\\ 2:r1=0)
"""


def test_an_acquire_comes_after_a_release_before_it_where_all_cpus_see_a_store_at_once() -> None:
    test = parse_litmus(_RELEASE_THEN_ACQUIRE)
    for explored in (explore_kernel, explore):
        assert explored(test, "arm").observation == "Never"
        assert explored(test, "weak").observation == "Sometimes"


def test_a_store_barrier_carries_on_what_a_release_before_it_carries() -> None:
    test = parse_litmus(_RELEASE_THEN_WMB)
    for explored in (explore_kernel, explore):
        assert explored(test, "weak").observation == "Never"


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
