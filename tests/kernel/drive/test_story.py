"""A broken invariant tells what the tasks it is about went through last."""

from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import INVARIANT, RunRequest
from cluster.local_engine import LocalRun
from kernel.drive.story import Story, story_of, tell
from kernel.errors import IllegalTransition, InvariantError
from kernel.task import EXIT_DEAD, EXIT_ZOMBIE, set_exit_state

GUEST = Path(__file__).resolve().parents[2] / "guest"


def machine(granularity="step", **changes):
    spec = guest_spec(GUEST / "fork/binary_tree.py", [], cpus=2, granularity=granularity, **changes)
    return LocalRun(RunRequest(spec, scheme="exact"))


def test_a_refused_move_comes_with_the_last_points_and_moves_of_the_task():
    run = machine()
    steps = 0

    def refuse(kernel):
        nonlocal steps
        steps += 1
        if steps > 300 and kernel.current.pid > 3 and not kernel.current.exit_state:
            set_exit_state(kernel.current, EXIT_DEAD, EXIT_ZOMBIE)

    run.host.kernel.after_step = refuse
    result = run.run()
    assert result.exit_kind == INVARIANT
    first, story, *lines = result.message.splitlines()
    assert "exit_state 0x0 -> 0x20, expected 0x10" in first
    assert story.startswith("  story of <task ")
    assert ", exit_state 0x0, flags 0x" in story and ", parent " in story
    assert 1 <= len(lines) <= 12
    assert all(line.startswith("    ") and " ns, cpu " in line for line in lines)
    assert any("(acquire)" in line or "(release)" in line for line in lines)


def test_stores_and_moves_of_state_are_in_the_story():
    run = machine()
    told = []

    def listen(kernel):
        told.extend(line.split(": ", 1)[1] for line in kernel.story.of(kernel.current.pid))

    run.host.kernel.after_step = listen
    run.run()
    assert "set_task_state.store (store) state = 0x1" in told
    assert "state 0x0 -> 0x1" in told
    assert any(line.startswith("state 0x1 -> 0x0") and ", by " in line for line in told)
    assert any(line.startswith("exit_state 0x0 -> 0x20") for line in told)


def test_at_granularity_syscall_the_last_trace_records_are_told():
    run = machine("syscall")
    kernel = run.host.kernel
    assert kernel.story is None
    kernel.trace.append((5, 8, 1, "init", 1, 120))
    kernel.trace.append((9, 8, 0, "kthreadd", 2, 120))
    text = story_of(kernel, kernel.child_reaper)
    assert text.startswith("  story of <task 1/1 init ")
    assert text.splitlines()[-1] == "    5 ns, cpu 1: sched_process_wait comm=init pid=1 prio=120"


def test_stories_are_told_once_and_of_those_who_are_named():
    kernel = machine().host.kernel
    kernel.current = kernel.child_reaper
    broken = InvariantError(f"{kernel.kthreadd!r} is lost, and <task 99/99 no R> is nobody")
    tell(kernel, broken)
    text = str(broken)
    tell(kernel, broken)
    assert str(broken) == text
    assert [line.split()[3] for line in text.splitlines()[1:] if "story of" in line] == [
        "2/2",
        "1/1",
    ]


@pytest.mark.parametrize("seen", [3, 100])
def test_the_story_of_a_task_is_bounded(seen):
    kernel = machine().host.kernel
    story, task = Story(), kernel.child_reaper

    class Path:
        op = ("f.point", 0, None)
        now_ns = cpu = serial = 0

    Path.task = task
    for _ in range(seen):
        story.note(Path)
    assert len(story.of(task.pid)) == min(seen, 12)
    assert story.of(12345) == []


def test_a_refused_move_is_a_broken_invariant():
    assert issubclass(IllegalTransition, InvariantError)
