"""Perfetto's format, as Perfetto reads it, and as plain protocol buffers."""

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command
from cluster.trace import TraceReader
from tests.cluster.export.proto_reader import fields, message
from tests.cluster.export.trace_processor import Processors

COUNTERS = "from counter join track on track_id = track.id"
FTRACE, SYSTEM_INFO, SWITCH = 1, 45, 4


@pytest.fixture
def sql(exported: Callable[[str], Path], processors: Processors) -> Callable[[str], list[Any]]:
    trace = exported("perfetto")
    return lambda query: processors.rows(trace, query)


def recorded(run: Path, event: str) -> list[Any]:
    with TraceReader(run / "trace.smpt") as reader:
        return list(reader.select(event=event))


def test_perfetto_reports_neither_errors_nor_lost_data(sql: Any) -> None:
    found = "severity in ('error', 'data_loss') and value > 0"
    assert sql(f"select name, value from stats where {found}") == []


def test_every_switch_is_a_stay_on_a_cpu(sql: Any, summary: dict[str, Any]) -> None:
    assert sql("select count(*) from sched") == [(summary["switches"]["total"],)]


def test_run_time_is_that_of_the_schedule(
    sql: Any, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run_command(["sched", "timehist", str(run), "-s", "--json"]) == 0
    by_task = {task["tid"]: task["run_ns"] for task in json.loads(capsys.readouterr().out)["tasks"]}
    query = (
        "select tid, sum(sched.dur) from sched join thread using (utid)"
        " where tid and sched.dur >= 0 group by tid"
    )
    assert dict(sql(query)) == by_task


def test_each_task_is_one_thread_of_its_process_with_its_last_name(sql: Any, run: Path) -> None:
    forks = recorded(run, "sched_process_fork")
    threads = sql(
        "select tid, pid, name from thread left join process using (upid)".replace(
            "name", "thread.name"
        )
    )
    assert len(threads) == len(forks) + 1  # and the idle task
    groups = {tid: pid for tid, pid, _ in threads}
    names = {tid: name for tid, _, name in threads}
    by_name = {record.fields["child_pid"]: record.fields["child_comm"] for record in forks}
    for record in recorded(run, "task_rename"):
        by_name[record.fields["pid"]] = record.fields["newcomm"]
    assert {tid: names[tid] for tid in by_name} == by_name
    assert [tid for tid, pid in groups.items() if tid != pid] == [8]  # the one thread


def test_parents_are_those_that_forked(sql: Any, run: Path) -> None:
    forked = {
        record.fields["child_pid"]: record.fields["parent_pid"]
        for record in recorded(run, "sched_process_fork")
    }
    query = "select p.pid, q.pid as parent from process p join process q on p.parent_upid = q.upid"
    parents = dict(sql(query))
    assert parents == {pid: parent for pid, parent in forked.items() if pid in parents}
    assert len(parents) == len(forked) - 1  # but for the thread


def test_states_in_which_tasks_left_are_those_of_linux(sql: Any, run: Path) -> None:
    found = dict(sql("select end_state, count(*) from sched where end_state != '' group by 1"))
    states = Counter(record.fields["prev_state"] for record in recorded(run, "sched_switch"))
    assert found == {
        "R": states[0] - 2,  # the first switch of a CPU ends no stay that is known
        "S": states[1],
        "R+": states[0x100],
        "X": 1,  # the thread
        "Z": states[0x80] - 1,
    }


def test_who_woke_a_task_is_known(sql: Any, run: Path) -> None:
    wakings = recorded(run, "sched_waking")
    (found,) = sql("select count(*) from thread_state where waker_utid is not null")
    assert found[0] >= len(wakings) > 20


def test_arrows_go_from_who_forked_or_woke_to_where_that_one_ran(sql: Any, run: Path) -> None:
    query = """
        select o.name, ot.tid as who, it.tid as whom, o.ts, i.ts as ends from flow
        join slice o on o.id = slice_out join thread_track a on a.id = o.track_id
        join thread ot on ot.utid = a.utid
        join slice i on i.id = slice_in join thread_track b on b.id = i.track_id
        join thread it on it.utid = b.utid"""
    arrows = sql(query)
    assert all(begin <= end for *_, begin, end in arrows)
    forks = sorted((who, to) for name, who, to, *_ in arrows if name == "fork")
    expected = [
        (record.fields["parent_pid"], record.fields["child_pid"])
        for record in recorded(run, "sched_process_fork")
        if record.fields["parent_pid"] > 1
    ]
    assert [pair for pair in forks if pair[0] > 1] == sorted(expected)
    assert sum(name == "wake" for name, *_ in arrows) > 20


def test_lengths_of_runqueues_are_those_that_follow_from_the_switches(sql: Any) -> None:
    query = f"select value {COUNTERS} where name = 'CPU {{}} runnable' order by ts"
    for cpu in (0, 1):
        values = [value for (value,) in sql(query.format(cpu))]
        assert values[0] == 1 and values[-1] == 0
        assert min(values) == 0 and max(values) >= 2
        assert all(abs(a - b) <= 1 for a, b in pairwise(values))


def test_page_faults_are_counted_by_kind(sql: Any, run: Path) -> None:
    kinds = Counter(record.fields["kind"] for record in recorded(run, "page_fault_user"))
    assert kinds
    query = f"select name, max(value) {COUNTERS} where name like 'faults %' group by name"
    assert dict(sql(query)) == {f"faults {kind}": number for kind, number in kinds.items()}


def test_system_calls_are_slices_with_arguments_and_results(sql: Any, run: Path) -> None:
    (found,) = sql("select count(*), min(dur) from slice where name = 'read'")
    reads = [one for one in recorded(run, "sys_enter") if one.fields["id"] == 0]
    assert found[0] == len(reads) and found[1] >= 0
    query = (
        "select display_value from slice join args using (arg_set_id)"
        " where name = 'nice' and key like '%result' order by ts"
    )
    assert [value for (value,) in sql(query)] == ["0", "0", "5"]


def test_packets_are_sound_without_perfetto(
    exported: Callable[[str], Path], summary: dict[str, Any]
) -> None:
    packets = [value for number, value in fields(exported("perfetto").read_bytes()) if number == 1]
    assert all(isinstance(packet, bytes) for packet in packets)
    system = message(packets[0])[SYSTEM_INFO]
    assert message(message(system)[1])[3] == b"6.12.0"
    switches = 0
    for packet in packets:
        parts = message(packet)
        if FTRACE in parts:
            events = [message(value) for number, value in fields(parts[FTRACE]) if number == 2]
            switches += sum(SWITCH in event for event in events)
            times = [event[1] for event in events]
            assert times == sorted(times), "a bundle is of one CPU, in order of time"
    assert switches == summary["switches"]["total"]
