"""One CPU with more tasks than one part of a queue holds: they all get their turn, in order."""

import random

import pytest

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.cfs_rq import LONGEST, CfsTunables
from kernel.sched.eevdf_rq import EevdfTunables
from kernel.sched.rq import Rq
from kernel.sched.sched_class import FAIR_RANK

TICK_NS = 4_000_000
TASKS = 3 * LONGEST


def queue_of(fair, nice=lambda pid: 0):
    rq = Rq(0, MachineSpec(cpus=1, fair=fair))
    tasks = []
    for pid in range(1, TASKS + 1):
        rq.clock_ns += 1
        tasks.append(CpuTask(pid, pid, f"t{pid}", nice(pid)))
        core.activate_task(rq, tasks[-1], core.ENQUEUE_INITIAL)
    core.put_prev_task(rq, rq.idle)
    core.pick_next_task(rq)
    return rq, tasks


def tick(rq):
    rq.clock_ns += TICK_NS
    core.scheduler_tick(rq)
    if rq.need_resched:
        core.put_prev_task(rq, rq.curr)
        core.pick_next_task(rq)


def faults(rq):
    found = []
    rq.curr.sched_class.check(rq, found)
    return found


@pytest.mark.parametrize("fair", ["cfs", "eevdf"])
def test_everybody_has_run_once_before_anybody_runs_twice(fair):
    rq, tasks = queue_of(fair)
    ran = []
    while len(ran) < TASKS:
        ran.append(rq.curr.pid)
        before = rq.curr
        while rq.curr is before:
            tick(rq)
    assert sorted(ran) == [p.pid for p in tasks]


def test_cfs_takes_the_least_virtual_time_of_all_parts():
    rng = random.Random(1)
    rq, tasks = queue_of("cfs", lambda pid: pid % 40 - 20)
    cfs = rq.of[FAIR_RANK]
    asleep = []
    for _ in range(600):
        core.put_prev_task(rq, rq.curr)
        least = min((p.se.vruntime, p.se.seq, p.pid) for p in tasks if p.on_rq)
        assert core.pick_next_task(rq).pid == least[2]
        rq.clock_ns += rng.randrange(1, 3 * TICK_NS)
        for p in rng.sample(tasks, 3):
            if p.on_rq and p is not rq.curr:
                core.deactivate_task(rq, p, core.DEQUEUE_SLEEP)
                asleep.append(p)
        while len(asleep) > 40:
            core.activate_task(rq, asleep.pop(rng.randrange(len(asleep))), core.ENQUEUE_WAKEUP)
    assert cfs.far
    assert faults(rq) == []
    assert max(len(part) for part in (cfs.timeline, *cfs.far)) <= LONGEST


def test_a_cfs_queue_of_many_parts_empties_and_fills_again():
    rq, tasks = queue_of("cfs", lambda pid: pid % 7)
    rng = random.Random(2)
    for flags in (core.DEQUEUE_SLEEP, core.DEQUEUE_MOVE):
        rng.shuffle(tasks)
        for p in tasks:
            if p is not rq.curr:
                core.deactivate_task(rq, p, flags)
        assert rq.nr_running == 1
        assert faults(rq) == []
        again = core.ENQUEUE_WAKEUP if flags == core.DEQUEUE_SLEEP else core.ENQUEUE_MIGRATED
        for p in tasks:
            if p is not rq.curr:
                core.activate_task(rq, p, again)
        assert faults(rq) == []


def test_a_cfs_queue_of_many_parts_is_set_down_and_taken_up():
    rq, tasks = queue_of("cfs")
    cfs = rq.of[FAIR_RANK]
    other = rq.classes[-2].make_rq(CfsTunables(), MachineSpec(cpus=1, fair="cfs"))
    other.unpack(cfs.pack(), {p.pid: p for p in tasks})
    assert other.waiting() == cfs.waiting()
    assert other.pack() == cfs.pack()


def test_an_eevdf_queue_of_many_parts_is_set_down_and_taken_up():
    rq, tasks = queue_of("eevdf", lambda pid: pid % 40 - 20)
    for _ in range(100):
        tick(rq)
    cfs = rq.of[FAIR_RANK]
    other = rq.classes[-2].make_rq(EevdfTunables(), MachineSpec(cpus=1, fair="eevdf"))
    other.unpack(cfs.pack(), {p.pid: p for p in tasks})
    assert len(other.waiting.parts) > 2
    assert other.waiting.tasks() == cfs.waiting.tasks()
    assert (other.avg_load, other.avg_vruntime) == (cfs.avg_load, cfs.avg_vruntime)
    assert other.pack() == cfs.pack()


def test_yielding_at_the_end_of_a_part_lets_the_next_part_go():
    rq, _ = queue_of("cfs")
    cfs = rq.of[FAIR_RANK]
    while len(cfs.timeline) > 1:
        core.put_prev_task(rq, rq.curr)
        core.pick_next_task(rq)
        tick(rq)
    first, following = cfs.waiting()[:2]
    cfs.skip = first[2]
    core.deactivate_task(rq, rq.curr, core.DEQUEUE_SLEEP)
    core.put_prev_task(rq, rq.curr)
    assert core.pick_next_task(rq) is following[2]
    assert faults(rq) == []


@pytest.mark.parametrize("fair", ["cfs", "eevdf", "o1"])
def test_the_last_of_many_is_found(fair):
    rq, tasks = queue_of(fair)
    last = tasks[TASKS // 2]
    for p in tasks:
        if p is not last:
            core.deactivate_task(rq, p, core.DEQUEUE_MOVE)
            if p is rq.curr:
                core.put_prev_task(rq, p)
                core.pick_next_task(rq)
    for _ in range(3):
        core.put_prev_task(rq, rq.curr)
        assert core.pick_next_task(rq) is last
    assert faults(rq) == []
