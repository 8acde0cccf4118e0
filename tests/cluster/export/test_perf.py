"""perf.data, as perf reads it, and as its documentation lays it out."""

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command
from cluster.trace import TraceReader
from tests.cluster.export.perf_reader import PerfFile, Record

COMM, EXIT, FORK, SAMPLE = 3, 4, 7, 9
PREEMPTED = 0x100
CUT_MS = 0.0011  # timehist cuts what stands behind the third digit


@pytest.fixture
def perf(exported: Callable[[str], Path]) -> Callable[..., list[str]]:
    found = shutil.which("perf")
    if found is None:
        pytest.skip("perf is not installed")
    path = exported("perf")

    def lines(*words: str) -> list[str]:
        done = subprocess.run(
            [found, *words, "-i", str(path)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return lines


@pytest.fixture(scope="module")
def file(exported: Callable[[str], Path]) -> PerfFile:
    return PerfFile(exported("perf"))


def recorded(run: Path, *events: str) -> list[Any]:
    with TraceReader(run / "trace.smpt") as reader:
        return [record for record in reader.select() if not events or record.event in events]


def sched(run: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert run_command(["sched", words[0], str(run), "--json", *words[1:]]) == 0
    return json.loads(capsys.readouterr().out)


def waits(run: Path, *, preempted: bool) -> dict[int, tuple[int, float, float]]:
    """Return by task how often it was switched to after a wait; mean and longest wait in ms.

    perf up to 6.1 does not know that R+ is runnable, and leaves those waits out.
    """
    since: dict[int, int] = {}
    found: dict[int, list[int]] = {}
    for record in recorded(run, "sched_switch", "sched_wakeup", "sched_wakeup_new"):
        fields = record.fields
        if record.event != "sched_switch":
            since.setdefault(fields["pid"], record.time_ns)
            continue
        pid = fields["next_pid"]
        if pid and pid in since:
            found.setdefault(pid, []).append(record.time_ns - since.pop(pid))
        state = fields["prev_state"]
        if fields["prev_pid"] and (state == 0 or (state == PREEMPTED and preempted)):
            since[fields["prev_pid"]] = record.time_ns
    return {
        pid: (len(all_), sum(all_) / len(all_) / 1e6, max(all_) / 1e6)
        for pid, all_ in found.items()
    }


def test_perf_sched_latency_has_the_run_times_of_the_schedule(
    perf: Any, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = re.compile(r"\s*(\S+?):(\d+)\s*\|\s*([\d.]+) ms \|")
    found = {
        int(m[2]): float(m[3]) for line in perf("sched", "latency", "-p") if (m := row.match(line))
    }
    tasks = sched(run, capsys, "latency", "-p")["tasks"]
    assert found == pytest.approx({one["pid"]: one["run_ns"] / 1e6 for one in tasks}, abs=0.00051)


def test_perf_sched_latency_has_the_waits_of_the_schedule(perf: Any, run: Path) -> None:
    row = re.compile(
        r"\s*\S+?:(\d+)\s*\|[^|]*\|\s*(\d+) \| avg:\s*([\d.]+) ms \| max:\s*([\d.]+) ms"
    )
    found = {
        int(m[1]): (int(m[2]), float(m[3]), float(m[4]))
        for line in perf("sched", "latency", "-p")
        if (m := row.match(line))
    }
    total = sum(number for number, _, _ in found.values())
    expected = waits(run, preempted=False)
    if total != sum(number for number, _, _ in expected.values()):
        expected = waits(run, preempted=True)
    assert found.keys() == expected.keys()
    for pid, numbers in expected.items():
        assert found[pid] == pytest.approx(numbers, abs=0.00051), pid


def test_perf_sched_timehist_has_every_switch_and_all_run_time(
    perf: Any, run: Path, summary: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = perf("sched", "timehist", "-s")
    ours = sched(run, capsys, "timehist", "-s")
    (switches,) = [line for line in lines if line.startswith("Total number of context switches")]
    assert int(switches.rpartition(":")[2]) == summary["switches"]["total"]
    (run_time,) = [line for line in lines if "Total run time (msec)" in line]
    assert float(run_time.rpartition(":")[2]) == pytest.approx(
        ours["total"]["run_ns"] / 1e6, abs=CUT_MS
    )
    row = re.compile(r"\s*\S+\[(\d+)(?:/\d+)?\]\s+\d+\s+(\d+)\s+([\d.]+)")
    found = {int(m[1]): (int(m[2]), float(m[3])) for line in lines if (m := row.match(line))}
    for task in ours["tasks"]:
        assert found[task["tid"]][0] == task["runs"]
        assert found[task["tid"]][1] == pytest.approx(task["run_ns"] / 1e6, abs=CUT_MS)


def test_perf_sched_map_has_a_line_for_each_switch(
    perf: Any, summary: dict[str, Any], run: Path
) -> None:
    lines = [line for line in perf("sched", "map") if " secs" in line]
    assert len(lines) == summary["switches"]["total"]


def test_perf_script_prints_what_was_recorded(perf: Any, run: Path) -> None:
    counted = Counter(
        line.split(":", 3)[2].strip() for line in perf("script", "-F", "time,event,trace")
    )
    expected = Counter(record.event for record in recorded(run))
    for event in ("sched_switch", "sched_process_exec", "page_fault_user", "signal_generate"):
        assert counted[event] == expected[event] > 0
    (filename,) = [line for line in perf("script", "-F", "event,trace") if "/bin/true" in line]
    assert "filename=/bin/true pid=7 old_pid=7" in filename


def test_each_sample_has_the_fields_of_its_record(file: PerfFile, run: Path) -> None:
    texts: Counter[str] = Counter()
    for record in file.records():
        if record.kind == SAMPLE:
            event = file.formats.events[record.event]
            texts[_shown(event.name, record, event.read(record.raw))] += 1
    expected: Counter[str] = Counter()
    for one in recorded(run):
        if one.event not in ("sys_enter", "sys_exit", "task_change", "task_args", "cache_refill"):
            expected[f"{one.time_ns} {one.cpu} {one.event}"] += 1
    assert expected - texts == Counter()
    extra = texts - expected
    assert all(text.endswith("sched_stat_runtime") for text in extra)


def _shown(name: str, record: Record, fields: dict[str, Any]) -> str:
    assert fields["common_type"] == record.event
    assert fields["common_pid"] == record.tid
    return f"{record.time_ns} {record.cpu} {name}"


def test_run_times_made_of_the_switches_are_all_run_time(
    file: PerfFile, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: Counter[int] = Counter()
    for record in file.records():
        if record.kind == SAMPLE:
            event = file.formats.events[record.event]
            if event.name == "sched_stat_runtime":
                fields = event.read(record.raw)
                found[fields["pid"]] += fields["runtime"]
    tasks = sched(run, capsys, "timehist", "-s")["tasks"]
    assert found == {task["tid"]: task["run_ns"] for task in tasks if task["run_ns"]}


def test_records_are_in_order_of_time(file: PerfFile) -> None:
    times = [record.time_ns for record in file.records() if record.kind == SAMPLE]
    assert all(a <= b for a, b in pairwise(times)) and len(times) > 100


def test_forks_names_and_exits_tell_whose_thread_a_task_is(file: PerfFile, run: Path) -> None:
    kinds = Counter(record.kind for record in file.records())
    expected = Counter(record.event for record in recorded(run))
    assert kinds[FORK] == expected["sched_process_fork"]
    assert kinds[EXIT] == expected["sched_process_exit"]
    assert kinds[COMM] == expected["task_rename"] + 2  # init and kthreadd
    forks = [record.body for record in file.records() if record.kind == FORK]
    groups = {
        int.from_bytes(body[8:12], "little"): int.from_bytes(body[:4], "little") for body in forks
    }
    assert {tid: pid for tid, pid in groups.items() if tid != pid} == {8: 3}


def test_the_texts_of_states_are_those_of_linux(file: PerfFile) -> None:
    (switch,) = [one for one in file.formats.events.values() if one.name == "sched_switch"]
    found = re.findall(r"\{ (0x\w+), \"(\w)\" \}", switch.print_format)
    assert {int(bit, 16): letter for bit, letter in found} == {
        0x1: "S", 0x2: "D", 0x4: "T", 0x8: "t", 0x10: "X", 0x20: "Z", 0x40: "P", 0x80: "I",
    }  # fmt: skip


def test_the_file_names_kernel_and_cpus(file: PerfFile) -> None:
    assert file.features[4][4:].startswith(b"6.12.0\0")
    assert file.features[7] == (2).to_bytes(4, "little") * 2
