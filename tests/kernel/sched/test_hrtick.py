"""Slices that end when they are used up: ``sched.hrtick``."""

import pytest

from kernel import messages as m
from kernel.cpu.checkpoint import pack_cpu, unpack_cpu
from kernel.cpu.cpu import Cpu
from kernel.machine import MachineSpec
from kernel.sched.cfs_rq import CfsTunables
from kernel.sched.eevdf_rq import EevdfTunables
from kernel.uapi import syscalls as nr
from tests.kernel.cpu.test_cpu import SWITCH, Scripts, spawn

MS = 1_000_000
# of a machine with one CPU; two tasks share one latency period of CFS
SLICE = {"eevdf": EevdfTunables().base_slice_ns, "cfs": CfsTunables().latency_ns // 2}
PROG = [(nr.NR_COMPUTE, 10**9), (nr.NR_GETPPID,)]
SWITCH_EVENT, PREV, NEXT = 1, 3, 7


def make_cpu(fair, nices=(0, 0), hz=250, **spec):
    spec = MachineSpec(cpus=2, hz=hz, fair=fair, hrtick=True, **spec)
    cpu = Cpu(1, spec, Scripts(prog=PROG))
    effects = [spawn(10 + number, "prog") for number in range(len(nices))]
    effects += [(0, m.EFF_RENICE, 10 + number, nice) for number, nice in enumerate(nices)]
    cpu.step(1, effects)
    return cpu


def switches(cpu):
    """Return when the CPU went from one task to the other, and from whom."""
    return [
        (event[0], event[PREV])
        for event in cpu.trace
        if event[1] == SWITCH_EVENT and event[PREV] and event[NEXT]
    ]


@pytest.mark.parametrize("hz", [100, 250, 1000])
@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_a_slice_ends_when_it_is_used_up_whatever_the_tick_is(fair, hz):
    cpu = make_cpu(fair, hz=hz)
    cpu.step(80 * MS, ())
    at_ns = [when for when, _ in switches(cpu)]
    ticks = [at // cpu.tick_ns for at in at_ns]
    runs = [
        later - earlier - SWITCH
        for earlier, later, tick, next_tick in zip(at_ns, at_ns[1:], ticks, ticks[1:])
        if tick == next_tick  # else the tick's cost is part of it
    ]
    factor = 2  # 1 + log2 of two CPUs
    expected = SLICE[fair] * factor
    assert len(at_ns) >= 80 * MS // (expected + 2 * SWITCH) - 3
    assert all(0 <= expected - run < 4 for run in runs[1:])  # CFS's is rounded
    assert runs[1:] or hz == 1000 or fair == "cfs"


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_without_it_the_same_tasks_change_at_ticks_only(fair):
    cpu = make_cpu(fair)
    cpu.rq.hrtick = None
    cpu.rq.timers.__init__()
    cpu.step(80 * MS, ())
    later = [at_ns for at_ns, _ in switches(cpu)]
    assert later and all(at_ns % cpu.tick_ns == cpu.tick_cost_ns for at_ns in later[1:])


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_a_task_that_is_alone_has_no_timer(fair):
    cpu = make_cpu(fair, nices=(0,))
    assert cpu.rq.timers.next_ns == m.NEVER
    cpu.step(20 * MS, ())
    assert cpu.stats.ticks == 0


def test_the_slice_begins_to_count_when_somebody_joins_with_what_was_run_before():
    cpu = make_cpu("eevdf", nices=(0,))
    cpu.step(500_000, [(400_000, *spawn(11, "prog")[1:])])
    assert cpu.rq.timers.next_ns == SWITCH + 2 * SLICE["eevdf"]


def test_a_slice_that_is_over_when_somebody_joins_ends_at_once():
    cpu = make_cpu("eevdf", nices=(0,))
    cpu.step(9 * MS, [(8 * MS + 5, *spawn(11, "prog")[1:])])
    assert next(iter(switches(cpu))) == (8 * MS + 5, 10)


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_a_cpu_taken_up_again_goes_on_to_the_same_end_of_the_slice(fair):
    cpu = make_cpu(fair, nices=(0, 3))
    cpu.step(MS, ())
    assert cpu.rq.timers.next_ns < m.NEVER
    for task in cpu.tasks.values():
        task.ctx = None
    data = pack_cpu(cpu)
    other = Cpu(1, MachineSpec(cpus=2, fair=fair, hrtick=True), Scripts(prog=PROG))
    unpack_cpu(other, data, lambda ctx: ctx)
    assert pack_cpu(other) == data
    cpu.trace.clear()
    for each in (cpu, other):
        each.step(60 * MS, ())
    assert switches(other) == switches(cpu) != []
