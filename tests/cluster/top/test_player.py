"""Going along a run's records."""

from pathlib import Path
from typing import Any

import smplab

from cluster.export.stream import Records
from cluster.page.history import History
from cluster.top import player as player_module
from cluster.top.machine import Machine
from cluster.top.player import Player
from cluster.top.source import ENDED, Source
from cluster.trace import TraceReader

_LONG_S = 60.0


def _at(run: smplab.Run, at_ns: int, window_ns: int = 0) -> Player:
    player = Player(Source(run.path))
    player.go_to(at_ns, window_ns)
    assert player.work(_LONG_S)
    return player


def _state(machine: Machine) -> list[Any]:
    rows = sorted((pid, repr(row)) for pid, row in machine.table.tasks.items())
    cpus = range(machine.cpus)
    queues = [machine.queue(cpu) for cpu in cpus]
    return [machine.now_ns, rows, machine.current, queues, [machine.busy_ns(cpu) for cpu in cpus]]


def test_tasks_are_those_that_a_run_has_at_that_time(storm: smplab.Run) -> None:
    at_ns = Source(storm.path).end_ns // 2
    rows = _at(storm, at_ns).machine.table.tasks.values()
    told = [(task.pid, task.state, task.ran_ns) for task in storm.tasks(at=at_ns)]
    table = _at(storm, at_ns).machine.table
    assert [(row.pid, row.state, table.ran_ns(row)) for row in sorted(rows, key=_pid)] == told


def test_cpus_are_as_busy_as_the_page_of_the_run_says(storm: smplab.Run) -> None:
    with TraceReader(storm.path / "trace.smpt") as reader:
        history = History(Records(reader))
    machine = _at(storm, history.end_ns).machine
    assert [machine.busy_ns(cpu) for cpu in range(machine.cpus)] == [
        sum(stays.length) for stays in history.stays
    ]


def test_queues_are_those_of_the_tasks_that_are_runnable(storm: smplab.Run) -> None:
    end_ns = Source(storm.path).end_ns
    for part in range(1, 9):
        machine = _at(storm, end_ns * part // 8).machine
        tasks = [row.cpu for row in machine.table.tasks.values() if row.state == "R"]
        cpus = range(machine.cpus)
        assert [machine.queue(cpu) for cpu in cpus] == [tasks.count(cpu) for cpu in cpus]


def test_going_back_ends_where_going_there_ends(storm: smplab.Run, monkeypatch: Any) -> None:
    monkeypatch.setattr(player_module, "_KEEP_EVERY", 20)
    monkeypatch.setattr(player_module, "_KEPT", 4)
    end_ns = Source(storm.path).end_ns
    player = _at(storm, end_ns)
    for part in (3, 1, 4, 2, 0):
        player.go_to(end_ns * part // 4, 1000)
        assert player.work(_LONG_S)
        assert _state(player.machine) == _state(_at(storm, end_ns * part // 4).machine)


def test_without_time_it_gets_there_in_pieces(storm: smplab.Run, monkeypatch: Any) -> None:
    monkeypatch.setattr(player_module, "_PIECE", 10)
    player = Player(Source(storm.path))
    player.go_to(1 << 62, 0)
    pieces = 1
    while not player.work(-1.0):
        pieces += 1
    assert pieces > 3
    assert _state(player.machine) == _state(_at(storm, 1 << 62).machine)


def test_a_window_counts_what_happened_in_it(storm: smplab.Run) -> None:
    whole = _at(storm, 1 << 62).window()
    assert whole.number("forks") == sum(
        record.event == "sched_process_fork"
        for record in TraceReader(storm.path / "trace.smpt").select()
    )
    half = _at(storm, 1 << 62, whole.span_ns // 2)
    assert half.window().span_ns == whole.span_ns // 2
    assert 0 <= half.window().rate("forks") != whole.rate("forks")


def test_a_trace_alone_can_be_watched(storm: smplab.Run, tmp_path: Path) -> None:
    alone = tmp_path / "alone.smpt"
    alone.write_bytes((storm.path / "trace.smpt").read_bytes())
    source = Source(alone)
    assert (source.state, source.end_ns) == (ENDED, Source(storm.path).end_ns)


def _pid(row: Any) -> int:
    return int(row.pid)
