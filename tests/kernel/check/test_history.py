"""What must be true of steps one after the other is told when it is not, and only then."""

from pathlib import Path
from typing import Any

import pytest

from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.local_engine import LocalRun
from kernel.check.history import History
from kernel.task import EXIT_DEAD, EXIT_ZOMBIE, JOBCTL_STOPPED, TASK_RUNNING
from kernel.uapi.task_state import TASK_STOPPED

GUEST = Path(__file__).resolve().parents[2] / "guest"


@pytest.fixture
def init() -> Any:
    """The first task of a machine that has booted."""
    spec = guest_spec(GUEST / "exit" / "codes.py", [], cpus=2, granularity="step", check=True)
    kernel = LocalRun(RunRequest(spec, max_virtual_ns=60_000_000_000)).host.kernel
    return kernel.pids.hash[1].task


def looked(history: History, obj: object, now_ns: int = 0) -> list[str]:
    found: list[str] = []
    history.look(obj, now_ns, found)
    return found


@pytest.mark.parametrize(("start_ns", "wrong"), [(199, True), (200, False)])
def test_a_task_with_a_number_that_is_used_again_has_begun_later(
    init: Any, start_ns: int, wrong: bool
) -> None:
    history, pid = History(), init.thread_pid
    init.start_time_ns = 100
    assert looked(history, pid, 150) == []
    pid.task = None
    assert looked(history, pid, 200) == []
    pid.task, init.start_time_ns = init, start_ns
    assert bool(looked(history, pid, 250)) is wrong


@pytest.mark.parametrize(("jobctl", "wrong"), [(JOBCTL_STOPPED, True), (0, False)])
def test_a_stop_is_over_only_when_who_ends_it_has_said_so(
    init: Any, jobctl: int, wrong: bool
) -> None:
    history = History()
    init.state, init.jobctl = TASK_STOPPED, JOBCTL_STOPPED
    assert looked(history, init) == []
    init.state, init.jobctl = TASK_RUNNING, jobctl
    assert bool(looked(history, init)) is wrong


def test_who_is_dead_is_no_zombie_again(init: Any) -> None:
    history = History()
    for exit_state in (0, EXIT_ZOMBIE, EXIT_DEAD, EXIT_DEAD):
        init.exit_state = exit_state
        assert looked(history, init) == []
    init.exit_state = EXIT_ZOMBIE
    assert "was dead" in looked(history, init)[0]
