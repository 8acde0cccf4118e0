"""CFS step by step against its rules."""

import pytest
from hypothesis import given, settings

from kernel.cpu.task import CpuTask
from kernel.sched import core
from kernel.sched.weights import WEIGHT_IDLEPRIO
from kernel.uapi.policy import SCHED_IDLE
from tests.kernel.sched import cfs_reference as reference
from tests.kernel.sched.eevdf_reference import WEIGHTS
from tests.kernel.sched.one_cpu import MS, US, make_rq
from tests.kernel.sched.side_by_side import SideBySide, operations

PARAMETERS = {
    "2.6.34": (5 * MS, MS, MS),
    "6.1": (6 * MS, 750 * US, MS),
    "tight": (MS, MS, 0),
}
KINDS = ["new", "fork", "run", "tick", "tick", "sleep", "wake", "wake", "yield", "nice", "move"]


class Cfs(SideBySide):
    def __init__(self, parameters, first="off", cpus=1):
        latency, granularity, wakeup = parameters
        tunables = {
            "latency_ns": latency,
            "min_granularity_ns": granularity,
            "wakeup_granularity_ns": wakeup,
        }
        factor = min(cpus, 8).bit_length()
        self.first = first == "on"
        super().__init__(
            make_rq("cfs", cpus, tunables, child_runs_first=first),
            reference.Queue(*(factor * each for each in parameters)),
        )

    def weight(self, nice, policy):
        return WEIGHT_IDLEPRIO if policy == SCHED_IDLE else WEIGHTS[nice]

    def made(self, pid, nice, policy, slice_ns):
        return reference.Task(pid, self.weight(nice, policy), policy)

    def new(self, nice, policy, slice_ns):
        super().new(nice, policy, 0)

    def agree(self):
        super().agree()
        assert self.cfs.min_vruntime == self.ref.min_v
        for role in ("next", "last", "skip"):
            mine, theirs = getattr(self.cfs, role), getattr(self.ref, role)
            assert (mine and mine.pid) == (theirs and theirs.name), role

    def same(self, mine, theirs):
        assert mine.se.vruntime == theirs.v
        assert (mine.on_rq, mine.se.weight) == (theirs.on, theirs.weight)

    def fork(self):
        pid, parent = len(self.tasks) + 1, self.rq.curr
        mine = CpuTask(pid, pid, f"t{pid}", parent.nice, parent.policy)
        core.task_fork(self.rq, parent, mine)
        theirs = self.made(pid, mine.nice, mine.policy, 0)
        self.ref.fork(theirs, self.first)
        self.tasks.append((mine, theirs))
        core.activate_task(self.rq, mine, core.ENQUEUE_INITIAL)
        core.check_preempt_curr(self.rq, mine, core.WF_FORK)
        self.ref.enqueue(theirs, "new")
        self.ref.woken(theirs)

    def act(self, kind, *rest):
        if kind == "fork" and self.ref.curr is not None:
            self.fork()
        else:
            super().act(kind, *rest)


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
@settings(max_examples=120, deadline=None)
@given(operations(KINDS))
def test_every_pick_is_that_of_the_rules(parameters, steps):
    both = Cfs(parameters)
    for operation in steps:
        both.step(operation)


@settings(max_examples=60, deadline=None)
@given(operations(KINDS))
def test_so_it_is_where_children_run_first_and_latencies_are_longer(steps):
    both = Cfs(PARAMETERS["6.1"], first="on", cpus=4)
    for operation in steps:
        both.step(operation)


@settings(max_examples=30, deadline=None)
@given(operations(["new", "fork", "tick", "run"], most=120))
def test_so_it_is_on_a_queue_whose_period_has_grown(steps):
    both = Cfs(PARAMETERS["6.1"])
    for _ in range(12):
        both.new(0, 0, 0)
        both.schedule()
    for operation in steps:
        both.step(operation)
