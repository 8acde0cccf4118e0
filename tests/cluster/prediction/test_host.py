"""What a host is asked for, and what its notes say."""

from pathlib import Path

import pytest

from cluster.calibration.sides import usable_cpus
from cluster.config.load import parse_config
from cluster.prediction.host import (
    HostError,
    Program,
    native_numbers,
    numbers_of,
    programs_of,
    why_not,
)
from cluster.prediction.stage import RECORD

STORM = "workloads: [{program: fork_exec_storm, params: {parents: 1, children: 2}}]\n"


def notes(*records: tuple[bytes, int]) -> bytes:
    return b"".join(RECORD.pack(kind, number) for kind, number in records)


def test_a_plain_storm_can_run_natively() -> None:
    assert why_not(parse_config("c.yaml", STORM + "machine: {cpus: 2}\n", Path()), 2) == []


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("machine: {cpus: 3}\n", "--cpus"),
        ("machine: {cpus: 1, noise: {irq: {every: 1ms, length: 10us}}}\n", "noise"),
        ("sched: {fair: cfs}\nmachine: {cpus: 1}\n", "sched"),
        ("kernel: {kthreads: true}\nmachine: {cpus: 1}\n", "kernel"),
        ("linux: 2.6.34\nmachine: {cpus: 1}\n", "linux"),
        ("granularity: step\nmachine: {cpus: 1}\n", "granularity"),
    ],
)
def test_what_a_host_cannot_be_asked_for_is_named(more: str, word: str) -> None:
    (reason,) = why_not(parse_config("c.yaml", STORM + more, Path()), 2)
    assert word in reason


def test_programs_that_start_later_are_refused() -> None:
    text = STORM.replace("program:", "start: 1ms, program:") + "machine: {cpus: 1}\n"
    (reason,) = why_not(parse_config("c.yaml", text, Path()), 2)
    assert "starts later" in reason


def test_too_many_programs_are_refused() -> None:
    text = STORM.replace("program:", "instances: 65, program:") + "machine: {cpus: 1}\n"
    (reason,) = why_not(parse_config("c.yaml", text, Path()), 2)
    assert "more than 64" in reason


def test_every_instance_is_a_program_with_its_parameters() -> None:
    text = STORM.replace("program:", "instances: 2, env: {A: b}, program:")
    programs = programs_of(parse_config("c.yaml", text, Path()))
    assert len(programs) == 2
    assert programs[0].words[1:] == ("parents=1", "children=2")
    assert programs[0].env == (("A", "b"),)


def test_the_last_end_is_the_makespans_and_uses_add_up() -> None:
    data = notes((b"E", 150), (b"C", 5), (b"S", 2), (b"E", 190), (b"C", 6), (b"S", 3))
    found = numbers_of(data, 100, timed=False)
    assert found == {"makespan": 90.0, "cpu_time": 11.0, "switches": 5.0}


def test_timed_calls_are_latencies() -> None:
    found = numbers_of(notes((b"F", 10), (b"F", 30), (b"W", 7), (b"E", 9)), 0, timed=True)
    assert (found["made"], found["fork_mean"], found["wait_p50"]) == (2.0, 20.0, 7.0)


def test_a_run_whose_programs_noted_no_end_is_an_error() -> None:
    with pytest.raises(HostError, match="no program noted"):
        numbers_of(b"", 0, timed=True)


def test_a_program_that_fails_natively_is_told_with_its_last_line(tmp_path: Path) -> None:
    program = tmp_path / "bad.py"
    program.write_text("raise SystemError('so it goes')\n")
    with pytest.raises(HostError, match="ended with 1 on the host: SystemError: so it goes"):
        native_numbers([Program((str(program),))], usable_cpus()[:1], timed=False, timeout_s=60)


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    program = tmp_path / "long.py"
    program.write_text("import signal\nsignal.pause()\n")
    with pytest.raises(HostError, match="not at its end after"):
        native_numbers([Program((str(program),))], usable_cpus()[:1], timed=False, timeout_s=0.2)


def test_a_storm_runs_natively_and_its_forks_are_counted() -> None:
    programs = programs_of(parse_config("c.yaml", STORM, Path()))
    plain = native_numbers(programs, usable_cpus()[:1], timed=False, timeout_s=60)
    timed = native_numbers(programs, usable_cpus()[:1], timed=True, timeout_s=60)
    assert plain["makespan"] > 0
    assert plain["cpu_time"] > 0
    assert timed["made"] == 3
    assert timed["fork_p50"] <= timed["fork_p99"]
