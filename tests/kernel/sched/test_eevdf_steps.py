"""EEVDF step by step against its rules, with each of its features on and off."""

import pytest
from hypothesis import given, settings

from kernel.sched import core
from kernel.uapi.policy import SCHED_IDLE
from tests.kernel.sched import eevdf_reference as reference
from tests.kernel.sched.one_cpu import make_rq
from tests.kernel.sched.side_by_side import SideBySide, operations

KINDS = ["new", "run", "tick", "sleep", "sleep", "wake", "wake", "yield", "nice", "move", "slice"]


class Eevdf(SideBySide):
    def __init__(self, **features):
        rq = make_rq("eevdf", tunables=features)
        cfs = rq.of[3]
        ref = reference.Queue(cfs.base_slice_ns, cfs.tick_ns, rq.clock_ns, **features)
        super().__init__(rq, ref)

    def weight(self, nice, policy):
        return 3 if policy == SCHED_IDLE else reference.WEIGHTS[nice]

    def made(self, pid, nice, policy, slice_ns):
        return reference.Task(pid, self.weight(nice, policy), slice_ns, policy)

    def agree(self):
        self.zero = None
        super().agree()

    def same(self, mine, theirs):
        assert (mine.se.on_rq, mine.se.delayed) == (theirs.on, theirs.delayed)
        if theirs.on:
            # all virtual times may lie elsewhere, by the same distance
            distance = mine.se.vruntime - theirs.v
            assert self.zero in (None, distance)
            self.zero = distance
            assert mine.se.deadline - mine.se.vruntime == theirs.deadline - theirs.v
        elif not theirs.relative:
            assert mine.se.vlag == theirs.lag

    def act(self, kind, mine, theirs, nice, policy, slice_ns):
        if kind == "slice" and mine is not None and mine not in self.away:
            own = (slice_ns,) if slice_ns else ()
            core.sched_setscheduler(self.rq, mine, mine.policy, 0, mine.nice, False, own)
            self.ref.renice(theirs, theirs.weight)
            theirs.slice = slice_ns
        else:
            super().act(kind, mine, theirs, nice, policy, slice_ns)


def both_agree(steps, **features):
    both = Eevdf(**features)
    for operation in steps:
        both.step(operation)


@settings(max_examples=250, deadline=None)
@given(operations(KINDS))
def test_every_pick_is_that_of_the_rules(steps):
    both_agree(steps)


@pytest.mark.parametrize("feature", reference.FEATURES)
@settings(max_examples=60, deadline=None)
@given(operations(KINDS))
def test_so_it_is_without_one_of_the_features(feature, steps):
    both_agree(steps, **{feature: False})
