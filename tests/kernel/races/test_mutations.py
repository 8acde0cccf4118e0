"""Seeded bugs: a lock that is not taken shows within some random schedules, and only then.

What is dropped must really be in the source, and what is not there to drop is refused.
"""

from collections import Counter

import pytest

from cluster.engine_api import DEADLOCK, DONE, INVARIANT
from cluster.point_names import point_kinds, point_places
from kernel.points import BARRIER

# program, CPUs, mutation, how it may show: a lost wake-up leaves everybody asleep
SEEDED = [
    ("race/orphans_against_their_own_end.py", 4, "exit_notify.tasklist_lock", (INVARIANT,)),
    ("pipe/ping_pong.py", 2, "wake_up.lock", (INVARIANT, DEADLOCK)),
]
SCHEDULES = range(40)


@pytest.mark.parametrize(("program", "cpus", "mutation", "symptoms"), SEEDED)
def test_a_dropped_lock_is_found_within_forty_schedules(outcome, program, cpus, mutation, symptoms):
    for seed in SCHEDULES:
        kind, *_ = outcome(program, cpus=cpus, seed=seed, tie_break="random", mutations=(mutation,))
        if kind != DONE:
            assert kind in symptoms
            return
    pytest.fail("not found")


@pytest.mark.slow
@pytest.mark.parametrize(("program", "cpus"), [seeded[:2] for seeded in SEEDED])
def test_the_kernel_as_it_is_gives_no_report_on_the_same_schedules(outcomes, program, cpus):
    found = outcomes(program, SCHEDULES, cpus=cpus)
    assert [kind for kind, *_ in found] == [DONE]


def test_a_mutated_lock_takes_its_release_along(outcome):
    # one path at a time: nothing can go wrong without the lock, not even at its release
    for mutation in ("do_wait.tasklist_lock", "release_task.tasklist_lock"):
        kind, message, status, _, _ = outcome("exit/codes.py", cpus=1, mutations=(mutation,))
        assert (kind, message, status) == (DONE, "", 0)


def test_a_dropped_barrier_changes_nothing_as_long_as_memory_is_sequentially_consistent(outcomes):
    name = "set_task_state.smp_mb"
    assert point_kinds()[name] == BARRIER
    found = outcomes("race/deaths_at_once.py", range(5), cpus=4, mutations=(name,))
    assert [kind for kind, *_ in found] == [DONE]


@pytest.mark.parametrize("point", ["set_current_blocked.siglock", "do_setitimer.siglock"])
def test_a_lock_that_leaves_interrupts_on_is_reported_though_no_interrupt_comes(outcome, point):
    program = "race/alarm_against_mask.py"
    kind, message, *_ = outcome(program, cpus=1, mutations=(f"weaken:{point}:irq",))
    assert kind == INVARIANT
    assert "lockdep: interrupts on, and siglock is needed in one" in message
    assert f"takes siglock at {point} with interrupts on" in message


def test_a_lock_whose_section_has_interrupts_off_anyway_may_leave_them_so(outcome):
    program = "race/alarm_against_mask.py"
    kind, message, *_ = outcome(program, cpus=1, mutations=("weaken:do_send_sig_info.siglock:irq",))
    assert (kind, message) == (DONE, "")


def test_every_point_has_a_name_of_its_own():
    names = Counter(name for name, _, _ in point_places())
    assert len(names) > 100
    assert [name for name, count in names.items() if count > 1] == []
