"""Checks of what a step has written find what checks of everything find there, when it is found."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.build import guest_spec
from cluster.engine_api import INVARIANT, RunRequest
from cluster.local_engine import LocalRun
from kernel.check.invariants import check_kernel
from kernel.check.touched import EVERYTHING_EVERY, TouchedChecks, check_touched
from kernel.errors import InvariantError
from kernel.task import TASK_RUNNING, TaskStruct

GUEST = Path(__file__).resolve().parents[2] / "guest"


@pytest.fixture
def kernel() -> Any:
    """A machine in the middle of a program: a parent waits for its child."""
    spec = guest_spec(GUEST / "exit" / "codes.py", [], cpus=2, granularity="step", check=True)
    local = LocalRun(RunRequest(spec, max_virtual_ns=60_000_000_000))

    def until_waiting(k: Any) -> None:
        if k.tasklist_lock.owner is None and len(the_sleeping_parents(k)):
            raise InvariantError("stop")

    local.host.kernel.after_step = until_waiting
    assert local.run().exit_kind == INVARIANT
    assert check_kernel(local.host.kernel) == []
    return local.host.kernel


def the_sleeping_parents(k: Any) -> list[TaskStruct]:
    """Return who has children and sleeps, init apart."""
    return [
        pid.task
        for pid in k.pids.hash.values()
        if pid.task is not None
        and pid.task.pid > 1
        and pid.task.children
        and not pid.task.on_rq
        and pid.task.state != TASK_RUNNING
    ]


def lose_a_wake_up(task: Any) -> list[Any]:
    task.state = TASK_RUNNING
    return [task]


def forget_a_child(task: Any) -> list[Any]:
    child = next(iter(task.children.values()))
    task.children.clear()
    return [task, child]


def miscount_threads(task: Any) -> list[Any]:
    task.signal.nr_threads += 1
    return [task.signal]


def name_another(task: Any) -> list[Any]:
    pid = task.thread_pid
    pid.leader = None
    return [pid]


def unlink(task: Any) -> list[Any]:
    task.tasks_next.tasks_prev = task.tasks_next
    return [task]


@pytest.mark.parametrize(
    "damage", [lose_a_wake_up, forget_a_child, miscount_threads, name_another, unlink]
)
def test_what_is_damaged_is_found_by_what_was_written(
    kernel: Any, damage: Callable[[Any], list[Any]]
) -> None:
    written = {id(obj): obj for obj in damage(the_sleeping_parents(kernel)[0])}
    found = check_touched(kernel, written)
    assert found
    assert set(found) <= set(check_kernel(kernel))
    assert written == {}


def test_the_load_table_is_looked_at_when_it_was_written(kernel: Any) -> None:
    kernel.load.idle_mask ^= 1
    assert check_touched(kernel, {}) == []
    assert check_touched(kernel, {1: kernel.load}) != []


def test_what_is_written_under_tasklist_lock_is_looked_at_when_that_is_given_up(
    kernel: Any,
) -> None:
    task = the_sleeping_parents(kernel)[0]
    task.state = TASK_RUNNING
    written = {id(task): task}
    kernel.tasklist_lock.owner = SimpleNamespace()
    assert check_touched(kernel, written) == []
    kernel.tasklist_lock.owner = None
    assert check_touched(kernel, written) != []


def test_everything_is_looked_at_from_time_to_time(kernel: Any) -> None:
    checks = TouchedChecks({})
    kernel.tasks.nr_processes += 1
    for _ in range(EVERYTHING_EVERY - 1):
        checks(kernel)
    with pytest.raises(InvariantError, match="processes counted"):
        checks(kernel)


def test_a_task_of_which_only_the_state_was_written_is_looked_at_by_itself(kernel: Any) -> None:
    task = the_sleeping_parents(kernel)[0]
    moved = {id(task): task}
    lose_a_wake_up(task)
    kernel.tasklist_lock.owner = SimpleNamespace()
    assert check_touched(kernel, {}, moved=moved) == []
    kernel.tasklist_lock.owner = None
    (found,) = check_touched(kernel, {}, moved=moved)
    assert found.endswith("a lost wake-up")
    assert moved == {}
