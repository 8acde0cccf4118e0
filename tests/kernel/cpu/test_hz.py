"""How fine the shares of a CPU are: a slice that is used up is noticed at the next tick."""

from itertools import pairwise

import pytest

from kernel.cpu.cpu import Cpu
from kernel.machine import MachineSpec
from kernel.uapi import syscalls as nr
from tests.kernel.cpu.test_cpu import SWITCH, Scripts, spawn

MS = 1_000_000
PROG = [(nr.NR_COMPUTE, 10**9), (nr.NR_GETPPID,)]
SWITCH_EVENT, PREV = 1, 3
# of two CPUs: EEVDF's slice, and CFS's period of two tasks, half for each
SLICE_NS = {"eevdf": 1_400_000, "cfs": 6_000_000}


def switches_of(fair, hz):
    """Let two spinners share a CPU; return it, and when it went from one to the other."""
    cpu = Cpu(1, MachineSpec(cpus=2, hz=hz, fair=fair), Scripts(prog=PROG))
    cpu.step(600 * MS, [spawn(10, "prog"), spawn(11, "prog")])
    return cpu, [event[0] for event in cpu.trace if event[1] == SWITCH_EVENT and event[PREV]]


@pytest.mark.parametrize("hz", [100, 250, 300, 1000])
@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_a_slice_ends_with_the_tick_after_it_is_used_up(fair, hz):
    cpu, at_ns = switches_of(fair, hz)
    assert all(at % cpu.tick_ns == cpu.tick_cost_ns for at in at_ns[1:])
    runs = [later - sooner for sooner, later in pairwise(at_ns[1:])]
    slice_ns = SLICE_NS[fair]
    # who still is a little behind then, by what a switch costs, has a second one at once
    assert len(runs) > 10
    assert all(slice_ns < run <= 2 * (slice_ns + cpu.tick_ns + SWITCH) for run in runs)


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_shares_are_finer_the_more_ticks_there_are(fair):
    turns = [len(switches_of(fair, hz)[1]) for hz in (100, 250, 300, 1000)]
    assert turns == sorted(turns)
    assert turns[-1] > 2 * turns[0]


@pytest.mark.parametrize("hz", [100, 250, 300, 1000])
def test_after_any_time_both_have_had_the_same_but_for_two_turns(hz):
    for fair in ("eevdf", "cfs"):
        cpu, _ = switches_of(fair, hz)
        cpu.rq.clock_ns = cpu.now_ns
        had = [task.sum_exec_ns for task in cpu.tasks.values() if task.pid >= 10]
        assert abs(had[0] - had[1]) <= 2 * (SLICE_NS[fair] + cpu.tick_ns)
