"""What must be true of steps one after the other is told when it is not, and only then."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.local_engine import LocalRun
from kernel.check.history import History
from kernel.task import EXIT_DEAD, EXIT_ZOMBIE, JOBCTL_STOPPED, TASK_RUNNING
from kernel.uapi.signals import SIGCONT, SIGTSTP
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


def queue(*signals: int) -> tuple[tuple[int, int, int, int, int], ...]:
    return tuple((sig, 0, 0, 0, 0) for sig in signals)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    ("after", "taker", "wrong"),
    [
        ((10, 12, 14), None, False),  # another has come
        ((10,), "itself", False),
        ((), "itself", True),  # two at once
        ((10,), "another", True),
        ((10, 14), "another", True),  # one more has come in its place
    ],
)
def test_a_pending_signal_goes_when_its_process_takes_it_and_not_otherwise(
    init: Any, shared: bool, after: tuple[int, ...], taker: str | None, wrong: bool
) -> None:
    history = History()
    other = SimpleNamespace(signal=None)
    whose, field = (init.signal, "shared_pending") if shared else (init, "pending")
    setattr(whose, field, queue(10, 12))
    assert looked(history, whose) == []
    setattr(whose, field, queue(*after))
    found: list[str] = []
    current: Any = init if taker == "itself" else other
    history.look(whose, 0, found, current)
    assert bool(found) is wrong


def test_a_stop_signal_takes_a_pending_continue_away_whoever_sends_it(init: Any) -> None:
    history = History()
    init.signal.shared_pending = queue(SIGCONT)
    assert looked(history, init.signal) == []
    init.signal.shared_pending = queue(SIGTSTP)
    assert looked(history, init.signal) == []


def test_who_ends_loses_what_was_pending(init: Any) -> None:
    history = History()
    init.pending = queue(10, 12)
    assert looked(history, init) == []
    init.pending, init.exit_state = (), EXIT_ZOMBIE
    assert looked(history, init) == []
