"""trace.dat, as trace-cmd reads it where it is installed, and as its manual lays it out."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.export import export
from cluster.trace import TraceReader, TraceWriter, encode_chunk
from kernel.events import SCHED_PROCESS_EXEC, SCHED_SWITCH, SCHED_WAKEUP
from tests.cluster.export.dat_reader import DatFile

LEFT_OUT = ("sys_enter", "sys_exit", "task_change", "task_args", "cache_refill")


@pytest.fixture
def file(exported: Callable[[str], Path]) -> DatFile:
    return DatFile(exported("trace-cmd"))


def test_each_cpu_has_its_records_with_their_times_and_fields(file: DatFile, run: Path) -> None:
    for cpu in (0, 1):
        found = Counter(
            (time_ns, event, fields.get("pid", fields.get("next_pid")))
            for time_ns, event, fields in file.records(cpu)
            if event not in ("page_fault_user", "signal_deliver", "sched_process_fork")
        )
        with TraceReader(run / "trace.smpt") as reader:
            expected = Counter(
                (one.time_ns, one.event, one.fields.get("pid", one.fields.get("next_pid")))
                for one in reader.select(cpu=cpu)
                if one.event
                not in (*LEFT_OUT, "page_fault_user", "signal_deliver", "sched_process_fork")
            )
        assert found == expected and len(found) > 50


def test_records_are_of_the_task_that_was_switched_to(file: DatFile) -> None:
    for cpu in (0, 1):
        running = 0
        for _, event, fields in file.records(cpu):
            assert fields["common_pid"] == running
            if event == "sched_switch":
                assert fields["prev_pid"] == running
                running = fields["next_pid"]


def test_names_of_all_tasks_stand_at_the_front(file: DatFile) -> None:
    assert file.names[1] == "init" and file.names[7] == "true" and len(file.names) == 8


def test_long_pauses_long_records_and_full_pages_are_as_the_ring_buffer_has_them(
    tmp_path: Path,
) -> None:
    long = "/" + "x" * 200
    rows: list[tuple[Any, ...]] = [
        (1_000, SCHED_SWITCH, "swapper/0", 0, 120, 0, "a", 5, 120),
        (1 << 40, SCHED_WAKEUP, "b", 6, 120, 0),
        ((1 << 40) + (1 << 27), SCHED_WAKEUP, "c", 7, 120, 0),
        *((2 << 40 | n, SCHED_WAKEUP, "d", 8, 120, 0) for n in range(300)),
    ]
    with TraceWriter(tmp_path / "t.smpt", ["cpu0", "kernel"]) as writer:
        writer.append(0, encode_chunk(rows))
        writer.append(1, encode_chunk([(3 << 40, SCHED_PROCESS_EXEC, 0, long, 5, 5)]))
        longest = "/" + "ü" * 4000
        writer.append(1, encode_chunk([((3 << 40) + 1, SCHED_PROCESS_EXEC, 0, longest, 5, 5)]))
    export(tmp_path / "t.smpt", "trace-cmd", tmp_path / "t.dat")
    file = DatFile(tmp_path / "t.dat")
    assert len(file.cpus[0]) >= 4 * 4096
    found = list(file.records(0))
    assert [time_ns for time_ns, _, _ in found] == [
        *(row[0] for row in rows),
        3 << 40,
        (3 << 40) + 1,
    ]
    assert found[-2][2]["filename"] == long
    assert found[-1][2]["filename"] == longest[:1950]


def test_trace_cmd_reports_every_record(
    exported: Callable[[str], Path], run: Path, summary: dict[str, Any]
) -> None:
    program = shutil.which("trace-cmd")
    if program is None:
        pytest.skip("trace-cmd is not installed")
    done = subprocess.run(
        [program, "report", "-N", "-i", str(exported("trace-cmd"))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if "] " in line]
    with TraceReader(run / "trace.smpt") as reader:
        expected = sum(record.event not in LEFT_OUT for record in reader.select())
    assert len(lines) == expected
    assert sum("sched_switch:" in line for line in lines) == summary["switches"]["total"]
    assert sum("prev_state=R+" in line for line in lines) > 10
