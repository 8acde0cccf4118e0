"""The driver of granularity ``syscall``: what each kind of point means to it."""

from types import SimpleNamespace

import pytest

from kernel import messages as m
from kernel.drive.forms import quick_form, run_plain, run_through
from kernel.drive.run_through import run_to_sleep
from kernel.errors import InvariantError
from kernel.points import (
    ACQUIRE,
    BARRIER,
    LOAD,
    POINT,
    READ,
    RELEASE,
    RESCHED,
    SCHEDULE,
    STORE,
)
from kernel.task import TASK_INTERRUPTIBLE, TASK_RUNNING
from tests.kernel.whole_kernel import Machine


@pytest.fixture
def k():
    """A whole kernel at granularity syscall, whose current task is the first program's."""
    made = Machine(granularity="syscall")
    made.k.current = made.first
    made.k.cpu = made.first.cpu
    made.k.take_effects()
    return made.k


def answers(k):
    """Return the codes of what the current task's CPU is told."""
    return [effect[1] for effect in k.take_effects().get(k.cpu, ())]


def test_a_path_without_sleep_runs_to_its_end_in_one_go(k):
    passed = []

    def path():
        for name in ("one", "two"):
            yield name, POINT, None
            passed.append(name)
            yield name, BARRIER, None
        passed.append("end")

    run_to_sleep(k, path())
    assert passed == ["one", "two", "end"]
    assert answers(k) == []
    assert k.current.path is None


def test_locks_are_taken_in_virtual_time(k):
    lock = k.new_lock("test_lock")
    costs = k.costs

    def path():
        yield "test.lock", ACQUIRE, lock
        yield "test.unlock", RELEASE, lock
        yield "test.read_lock", READ, lock
        yield "test.read_unlock", RELEASE, lock

    begun_ns = k.now_ns
    run_to_sleep(k, path())
    assert k.now_ns == begun_ns + 2 * (costs.lock_acquire + costs.lock_hold)
    assert lock.stat.acquisitions == 2
    assert lock.stat.hold_ns == 2 * costs.lock_hold


def test_a_load_is_answered_and_a_store_done_at_once(k):
    where = SimpleNamespace(value=3)
    read = []

    def path():
        yield "test.store", STORE, (where, "value", 4)
        read.append((yield "test.load", LOAD, (where, "value")))
        where.value = 5
        read.append((yield "test.load_again", LOAD, (where, "value")))

    run_to_sleep(k, path())
    assert read == [4, 5]


def test_at_a_schedule_a_task_that_is_not_running_goes_to_sleep_with_its_path(k):
    task = k.current
    passed = []

    def path():
        task.state = TASK_INTERRUPTIBLE
        yield "test.schedule", SCHEDULE, None
        passed.append("woken")

    sleeping = path()
    run_to_sleep(k, sleeping)
    assert (passed, task.path, task.on_rq) == ([], sleeping, False)
    assert answers(k) == [m.EFF_SLEEP]
    task.state = TASK_RUNNING
    run_to_sleep(k, sleeping)
    assert passed == ["woken"]


def test_a_task_that_was_woken_before_its_schedule_does_not_sleep(k):
    passed = []

    def path():
        assert k.current.state == TASK_RUNNING
        yield "test.schedule", SCHEDULE, None
        passed.append("on")

    run_to_sleep(k, path())
    assert passed == ["on"]
    assert answers(k) == []


def test_at_a_resched_the_cpu_may_run_another_task_and_the_path_waits(k):
    task = k.current
    passed = []

    def path():
        yield "test.resched", RESCHED, None
        passed.append("on")

    waiting = path()
    run_to_sleep(k, waiting)
    assert (passed, task.path, task.on_rq) == ([], waiting, True)
    assert answers(k) == [m.EFF_RESCHED]


@pytest.mark.parametrize("after_load", [False, True])
def test_a_sleep_right_after_a_load_is_seen_too(k, after_load):
    task = k.current
    where = SimpleNamespace(value=1)

    def path():
        if after_load:
            yield "test.load", LOAD, (where, "value")
        task.state = TASK_INTERRUPTIBLE
        yield "test.schedule", SCHEDULE, None

    run_to_sleep(k, path())
    assert answers(k) == [m.EFF_SLEEP]


def test_what_ends_a_path_comes_through(k):
    def path():
        yield "test.point", POINT, None
        raise LookupError("no such thing")

    with pytest.raises(LookupError):
        run_to_sleep(k, path())


# -- kernel.drive.forms ---------------------------------------------------------------------------


def test_run_through_gives_the_result_and_the_answers_of_loads(k):
    where = SimpleNamespace(value=7)

    def path():
        found = yield "test.load", LOAD, (where, "value")
        yield "test.schedule", SCHEDULE, None  # the task runs: it is no sleep
        return found + 1

    assert run_through(k, path()) == 8


@pytest.mark.parametrize("kind", [SCHEDULE, RESCHED])
def test_run_through_refuses_a_sleep(k, kind):
    def path():
        k.current.state = TASK_INTERRUPTIBLE
        yield "test.sleep", kind, None

    with pytest.raises(InvariantError, match=r"sleeps at test\.sleep, where nobody may"):
        run_through(k, path())


def test_run_plain_runs_a_path_and_hands_on_a_value(k):
    def path():
        yield "test.point", POINT, None
        return "end"

    assert run_plain(k, path()) == "end"
    assert run_plain(k, "value") == "value"


def test_what_has_no_quick_form_is_its_own():
    def function():
        pass

    assert quick_form(function) is function
