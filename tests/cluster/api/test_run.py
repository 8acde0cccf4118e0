"""``smplab.run``: a run as an object, whose directory every command takes."""

import json
from pathlib import Path

import pytest
import smplab
import yaml

from cluster.catalogue import config_path
from cluster.rundir import RunDir
from tests.cluster.small_storm import SMALL, small_storm


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> smplab.Run:
    return small_storm(tmp_path_factory.mktemp("runs"))


def test_a_run_is_what_its_directory_says(small: smplab.Run) -> None:
    directory = RunDir.open(small.path)
    assert (small.exit_kind, small.message) == ("done", "")
    assert {**small.summary, "digest": small.digest} == directory.summary()
    assert smplab.open_run(small.path).digest == small.digest


def test_the_same_run_from_a_mapping_has_the_same_digest(small: smplab.Run, tmp_path: Path) -> None:
    config = yaml.safe_load(config_path(Path("fork_exec_storm")).read_text("utf-8"))
    assert smplab.run(config, settings=SMALL, out=tmp_path).digest == small.digest


def test_events_are_a_table_with_the_fields_of_the_tracepoints_named(small: smplab.Run) -> None:
    table = small.events("sched_process_exit")
    assert table.column_names[:4] == ["time_ns", "cpu", "event", "comm"]
    assert table.num_rows == small.summary["lifecycles"]["exits"]
    times = table["time_ns"].to_pylist()
    assert times == sorted(times)
    first = table["pid"].to_pylist()[0]
    mine = small.events(pid=first)
    assert {"sched_process_fork", "sched_process_exit"} <= set(mine["event"].to_pylist())
    cut = small.events(from_ns=times[0], to_ns=times[1])
    assert min(cut["time_ns"].to_pylist()) >= times[0]
    assert max(cut["time_ns"].to_pylist()) < times[1]


def test_a_flag_in_the_highest_bit_and_a_negative_number_are_in_one_table(tmp_path: Path) -> None:
    program = tmp_path / "flags.py"
    program.write_text(
        "import signal\n"
        "signal.signal(signal.SIGUSR1, print)\n"
        "signal.raise_signal(signal.SIGUSR1)\n",
        "utf-8",
    )
    made = smplab.run(
        {"name": "x", "trace": {"enabled": True}, "workloads": [{"program": str(program)}]},
        out=tmp_path,
    )
    table = made.events()
    assert str(table.schema.field("sa_flags").type) == "uint64"
    assert str(table.schema.field("prev_state").type) == "int64"
    assert made.events("signal_deliver").num_rows == 1


def test_tasks_are_those_of_the_time_asked_for(small: smplab.Run) -> None:
    forks = small.events("sched_process_fork")
    at = forks["time_ns"].to_pylist()[-1]
    child = forks["child_pid"].to_pylist()[-1]
    parent = forks["parent_pid"].to_pylist()[-1]
    assert small.tasks(at=at).by_pid(child).ppid == parent
    assert [task.comm for task in small.tasks()] == ["init", "kthreadd"]
    assert "<td>kthreadd</td>" in small.tasks()._repr_html_()


def test_a_notebook_shows_how_it_ended_and_the_digest(small: smplab.Run) -> None:
    shown = small._repr_html_()
    assert "done" in shown
    assert small.digest in shown


def test_what_a_program_wrote_is_there_by_its_label(tmp_path: Path) -> None:
    program = tmp_path / "hello.py"
    program.write_text("print('hello')\n", "utf-8")
    made = smplab.run({"name": "hello", "workloads": [{"program": str(program)}]}, out=tmp_path)
    (label,) = made.labels
    assert made.output(label) == b"hello\n"
    with pytest.raises(KeyError):
        made.output("nobody")


def test_every_problem_of_a_configuration_is_told(tmp_path: Path) -> None:
    with pytest.raises(smplab.ConfigError) as refused:
        smplab.run({"name": "x", "machine": {"cpus": 0}, "worloads": []}, out=tmp_path)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[1] for line in lines[:2]] == ["machine.cpus", "worloads"]
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_trace_has_no_events_and_says_how_to_get_them(tmp_path: Path) -> None:
    made = small_storm(tmp_path, **{"trace.enabled": False})
    with pytest.raises(smplab.MissingError, match=r"has no trace: run with settings="):
        made.events()
    with pytest.raises(smplab.MissingError):
        made.tasks()


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(smplab.EmulatorError, match="is no run directory"):
        smplab.open_run(tmp_path)
    (tmp_path / "manifest.json").write_text("{", "utf-8")
    with pytest.raises(smplab.EmulatorError):
        smplab.open_run(tmp_path)


def test_an_unknown_tracepoint_is_refused(small: smplab.Run) -> None:
    with pytest.raises(ValueError, match="no tracepoint sched_swich"):
        small.events("sched_swich")


def test_the_manifest_says_who_asked(small: smplab.Run) -> None:
    manifest = json.loads((small.path / "manifest.json").read_text("utf-8"))
    assert manifest["command"] == ["smplab.run"]
