"""``smplab.Machine``: the same machine as a run's, event by event."""

from pathlib import Path

import pytest
import smplab

from tests.cluster.small_storm import SMALL, small_storm


@pytest.fixture
def machine() -> smplab.Machine:
    return smplab.Machine("fork_exec_storm", settings=SMALL)


@pytest.mark.parametrize("scheme", ["exact", "barrier", "redblack"])
def test_steps_show_the_records_of_the_run(scheme: str, tmp_path: Path) -> None:
    settings = {**SMALL, "sync.scheme": scheme}
    stepped = smplab.Machine("fork_exec_storm", settings=settings)
    seen = []
    while not stepped.exit_kind:
        seen += stepped.step()
    made = small_storm(tmp_path, **{"sync.scheme": scheme})
    table = made.events()
    wanted = zip(table["time_ns"].to_pylist(), table["cpu"].to_pylist(), table["event"].to_pylist())
    assert sorted((e.time_ns, e.cpu or 0, e.event) for e in seen) == sorted(
        (time_ns, cpu or 0, name) for time_ns, cpu, name in wanted
    )
    assert (stepped.exit_kind, stepped.message) == (made.exit_kind, made.message)


def test_it_stops_at_the_record_asked_for_and_shows_who_is_there(machine: smplab.Machine) -> None:
    fork = machine.run_to("sched_process_fork", pid=4)
    assert fork is not None
    assert fork.fields["child_pid"] == 4
    assert machine.task(4).ppid == fork.fields["parent_pid"]
    assert [task.pid for task in machine.tasks()] == sorted(task.pid for task in machine.tasks())
    assert machine.task_struct(4).pid == 4
    assert len(machine.current()) == len(machine.runqueue_lengths()) == 2
    with pytest.raises(KeyError):
        machine.task(999)


def test_breakpoints_stop_it_until_they_are_taken_away(machine: smplab.Machine) -> None:
    machine.breakpoints.append(smplab.Breakpoint("sched_process_exit"))
    first, second = machine.go_on(), machine.go_on()
    assert [record.event for record in first + second] == ["sched_process_exit"] * 2
    assert first != second
    machine.breakpoints.clear()
    assert machine.go_on() == []
    assert machine.exit_kind == "done"


def test_it_goes_to_a_time(machine: smplab.Machine) -> None:
    machine.go_on(until_ns=1_000_000)
    assert machine.exit_kind == ""
    assert machine.now_ns >= 1_000_000
    before = machine.rounds
    machine.step(5)
    assert machine.rounds == before + 5


def test_after_the_end_nothing_happens(machine: smplab.Machine) -> None:
    assert machine.run() == "done"
    rounds = machine.rounds
    assert (machine.step(), machine.run_to("sched_switch"), machine.rounds) == ([], None, rounds)
    assert "done" in repr(machine)


def test_a_deadlock_is_an_end_with_its_story(tmp_path: Path) -> None:
    program = tmp_path / "waits.py"
    program.write_text("import os\nr, w = os.pipe()\nos.read(r, 1)\n", "utf-8")
    stuck = smplab.Machine({"name": "stuck", "workloads": [{"program": str(program)}]})
    assert stuck.run() == "deadlock"
    assert "waits.py" in stuck.message


def test_what_cannot_be_is_refused(machine: smplab.Machine) -> None:
    with pytest.raises(ValueError, match="no tracepoint"):
        machine.run_to("sched_swich")
    with pytest.raises(ValueError, match="at least 1"):
        machine.step(0)
    with pytest.raises(smplab.EmulatorError, match="run free under lax"):
        smplab.Machine("fork_exec_storm", settings={"sync.scheme": "lax"})
