"""One task that runs alone beside delayed sleepers of other sessions, under EEVDF."""

import pytest

from kernel.sched import core
from tests.kernel.sched.test_task_group import A_ONE, A_TWO, MS, A, B, Machine


def alone(hog, others):
    """A task that runs alone from now on, though those of ``others`` sleep in debt."""
    m = Machine("eevdf")
    hog = m.add(hog)
    sleepers = [m.add(group) for group in others]
    while m.rq.curr is hog:
        m.run(4 * MS)
    for sleeper in sleepers:
        while m.rq.curr is not sleeper:
            m.run(4 * MS)
        m.rq.clock_ns += 7 * MS
        m.sleep(sleeper)
    assert m.rq.curr is hog
    return m, hog, sleepers


def waiting(m):
    """How many stand in the queues of the CPU who do not want to run."""
    tree = m.flat.tree
    queues = (
        [m.flat] if tree is None else [m.flat, tree.top, *(g.my_q for g in tree.groups.values())]
    )
    return sum(p.se.delayed for queue in dict.fromkeys(queues) for p in queue.waiting.tasks())


@pytest.mark.parametrize(
    ("hog", "others"),
    [((), [A]), (A, [()]), (A, [A]), (A, [B]), (A_ONE, [A_TWO]), (A_ONE, [A_TWO, B, ()])],
)
@pytest.mark.parametrize("joins", [(), A, B, A_TWO])
def test_who_joins_finds_no_sleeper_that_ticks_would_have_found_to_have_paid(hog, others, joins):
    m, hog, sleepers = alone(hog, others)
    assert waiting(m)
    m.rq.clock_ns += 400 * MS  # nobody ticks: it is alone
    m.add(joins)
    assert not waiting(m)
    assert not any(sleeper.se.on_rq for sleeper in sleepers)
    m.run(400 * MS)
    core.update_rq_curr(m.rq)
    assert m.tasks[-1].sum_exec_ns > 100 * MS


def test_a_task_that_ran_alone_leaves_the_groups_as_one_that_had_ticks_does():
    m, hog, _sleepers = alone(A, [B])
    m.rq.clock_ns += 400 * MS
    m.sleep(hog)
    assert not waiting(m)
    assert m.rq.curr is m.rq.idle
    assert m.flat.tree is None


def test_without_a_tick_since_nobody_leaves():
    m, _hog, _sleepers = alone(A, [B])
    before = waiting(m)
    m.add(A)
    assert waiting(m) == before > 0
