"""What a switch costs does not grow faster than the logarithm of the queue: counted, not timed.

Counted are the lines that run between two switches and the calls of built-in functions. What such a
call does to a list costs as much as the list is long at most; so the longest of them is asked, too.
"""

import gc
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.rq import Rq

TICK_NS = 4_000_000
LENGTHS = (100, 1_000, 10_000)
LONGEST_LIST = 512
SLICES = (0, 100_000, 3_000_000, 20_000_000)


@dataclass
class Work:
    """What was done while it was counted."""

    steps: int = 0  # lines and calls of built-in functions
    longest: int = 0  # list that was changed, or searched by a method


@contextmanager
def counted(work: Work) -> Iterator[None]:
    def line(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            work.steps += 1
        return line

    def call(frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call":
            work.steps += 1
            owner = getattr(arg, "__self__", None)
            if isinstance(owner, list) and arg.__name__ != "append":
                work.longest = max(work.longest, len(owner))

    before = sys.gettrace(), sys.getprofile()
    collects = gc.isenabled()
    gc.disable()  # what listens to the collector (hypothesis does) would be counted
    sys.settrace(line)
    sys.setprofile(call)
    try:
        yield
    finally:
        sys.setprofile(before[1])
        sys.settrace(before[0])
        if collects:
            gc.enable()


def queue_of(fair: str, length: int, mixed: bool) -> tuple[Rq, list[CpuTask]]:
    rq = Rq(0, MachineSpec(cpus=1, fair=fair))
    tasks = []
    for pid in range(1, length + 1):
        rq.clock_ns += 1
        p = CpuTask(pid, pid, "t", pid % 40 - 20 if mixed else 0)
        if mixed and fair == "eevdf":
            core.class_of(rq, p)
            p.se.slice_ns = SLICES[pid % 4]
        core.activate_task(rq, p, core.ENQUEUE_INITIAL)
        tasks.append(p)
    core.put_prev_task(rq, rq.idle)
    core.pick_next_task(rq)
    return rq, tasks


def tick(rq: Rq) -> None:
    rq.clock_ns += TICK_NS
    core.scheduler_tick(rq)
    if rq.need_resched:
        core.put_prev_task(rq, rq.curr)
        core.pick_next_task(rq)


def sleep_and_wake(rq: Rq, tasks: list[CpuTask], number: int) -> None:
    """One that waits leaves, one that runs sleeps, and both come back."""
    waits = tasks[number * 7919 % len(tasks)]
    runs = rq.curr
    if waits is not runs:
        core.deactivate_task(rq, waits, core.DEQUEUE_MOVE)
        core.activate_task(rq, waits, core.ENQUEUE_MIGRATED)
    core.deactivate_task(rq, runs, core.DEQUEUE_SLEEP)
    core.put_prev_task(rq, runs)
    core.pick_next_task(rq)
    core.activate_task(rq, runs, core.ENQUEUE_WAKEUP)
    core.check_preempt_curr(rq, runs, core.WF_TTWU)


def cost_of(fair: str, length: int, mixed: bool) -> tuple[float, int]:
    """Return the steps for each switch, and the longest list that was touched."""
    rq, tasks = queue_of(fair, length, mixed)
    for _ in range(length // 2):
        tick(rq)
    work = Work()
    before = rq.nr_switches
    number = 0
    with counted(work):
        while rq.nr_switches - before < 300:
            number += 1
            tick(rq)
            if mixed:
                sleep_and_wake(rq, tasks, number)
    return work.steps / (rq.nr_switches - before), work.longest


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("fair", ["cfs", "eevdf", "o1"])
def test_a_switch_grows_no_faster_than_the_logarithm_of_the_queue(fair: str, mixed: bool) -> None:
    few, *more = (cost_of(fair, length, mixed) for length in LENGTHS)
    for length, (steps, longest) in zip(LENGTHS[1:], more, strict=True):
        assert steps / few[0] <= math.log(length) / math.log(LENGTHS[0])
        assert longest <= LONGEST_LIST


def test_what_is_counted_is_the_same_every_time_whoever_listens_to_the_collector() -> None:
    def listens(phase: str, info: dict[str, int]) -> None:
        heard.append(phase)

    heard: list[str] = []
    thresholds = gc.get_threshold()
    gc.callbacks.append(listens)
    gc.set_threshold(100, 3, 3)
    try:
        costs = {cost_of("eevdf", 100, True) for _ in range(4)}
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(listens)
    assert heard
    assert len(costs) == 1
