"""Those who wait on an EEVDF queue: the one found is the one a look at all of them finds."""

import random

import pytest

from kernel.cpu.task import CpuTask
from kernel.sched.eevdf_waiting import LONGEST, EevdfEntity, Waiting


def task(pid, deadline, vruntime):
    p = CpuTask(pid, pid, f"t{pid}")
    p.se = EevdfEntity()
    p.se.seq = pid
    p.se.deadline = deadline
    p.se.vruntime = vruntime
    return p


def in_order(tasks):
    return sorted(tasks, key=lambda p: (p.se.key, p.se.seq))


def whom_a_look_at_all_finds(tasks, limit):
    eligible = [p for p in in_order(tasks) if p.se.vruntime <= limit]
    return eligible[0] if eligible else None


def faults(waiting):
    parts = waiting.parts
    return [
        part
        for part in parts
        if not 0 < len(part.tasks) <= LONGEST or part.least > min(p.se.vruntime for p in part.tasks)
    ]


@pytest.mark.parametrize("deadlines", [1, 3, 100_000])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_earliest_eligible_is_found_whoever_came_and_went(seed, deadlines):
    rng = random.Random(seed)
    waiting = Waiting()
    here = []
    pid = 0
    for most in (400, 0, 150, 900, 0):
        while len(here) != most:
            for _ in range(rng.randrange(1, 20)):
                if len(here) < most:
                    pid += 1
                    deadline = rng.randrange(deadlines)
                    p = task(pid, deadline, deadline - rng.randrange(deadlines))
                    waiting.insert(p)
                    here.append(p)
                elif len(here) > most:
                    waiting.remove(here.pop(rng.randrange(len(here))))
            limit = rng.randrange(-deadlines, deadlines)
            found = waiting.earliest(limit)
            assert found is whom_a_look_at_all_finds(here, limit)
            if found is not None and len(here) > most:
                here.remove(found)
                waiting.remove(found)
        assert waiting.tasks() == in_order(here)
        assert faults(waiting) == []


def test_tasks_that_come_with_ever_later_deadlines_fill_their_parts():
    waiting = Waiting()
    for pid in range(1, 5 * LONGEST + 1):
        waiting.insert(task(pid, pid // 7, pid))
    assert [len(part.tasks) for part in waiting.parts] == [LONGEST] * 5


def test_parts_of_which_few_are_left_are_joined():
    rng = random.Random(3)
    waiting = Waiting()
    tasks = [task(pid, rng.randrange(1000), 0) for pid in range(1, 40 * LONGEST)]
    for p in tasks:
        waiting.insert(p)
    rng.shuffle(tasks)
    while len(tasks) > 2 * LONGEST:
        waiting.remove(tasks.pop())
    assert len(waiting.parts) <= 2 * LONGEST // (LONGEST >> 2)
    assert waiting.tasks() == in_order(tasks)


def test_a_search_that_finds_nobody_in_a_part_is_not_made_there_again():
    waiting = Waiting()
    tasks = [task(pid, pid, pid) for pid in range(1, LONGEST + 1)]
    for p in tasks:
        waiting.insert(p)
    waiting.remove(tasks[0])
    assert waiting.parts[0].least == 1  # it may be too low
    assert waiting.earliest(1) is None
    assert waiting.parts[0].least == 2


def test_a_task_may_have_another_deadline_before_it_leaves():
    waiting = Waiting()
    tasks = [task(pid, 10, 0) for pid in range(1, 9)]
    for p in tasks:
        waiting.insert(p)
    tasks[4].se.deadline = -5
    waiting.remove(tasks[4])
    assert waiting.tasks() == tasks[:4] + tasks[5:]


def test_whoever_does_not_wait_cannot_leave():
    waiting = Waiting()
    waiting.insert(task(1, 10, 0))
    for stranger in (task(2, 5, 0), task(3, 10, 0), task(4, 20, 0)):
        stranger.se.key = stranger.se.deadline
        with pytest.raises(AssertionError, match="does not wait on this queue"):
            waiting.remove(stranger)
