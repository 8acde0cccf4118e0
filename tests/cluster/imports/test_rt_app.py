"""rt-app's JSON becomes a guest program: what it does, and what is refused where."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.build import resolve
from cluster.cli.common import console_outputs
from cluster.cli.main import run_command
from cluster.config import ConfigError, load_config
from cluster.imports.format import ImportProblems
from cluster.imports.formats.rt_app import FORMAT
from cluster.imports.json_text import JsonTextError, read_json
from cluster.imports.registry import formats, program_of
from cluster.local_engine import LocalRun
from cluster.native import run_native
from cluster.request import request_of

CONFIG = "machine: {cpus: 2}\nworkloads:\n  - import: app.json\n"
PAIRS = """{
 /* a file as people write them: comments, repeated keys, a comma too many */
 "tasks": {
  "periodic": {"loop": 3, "run": 1000, "sleep": 500, "run": 200,
               "timer": {"ref": "unique", "period": 4000}},
  "pair": {"instance": 2, "loop": 2, "lock": "m", "run": 300, "unlock": "m", "barrier": "meet"},
  "sleeper": {"loop": 2, "suspend", "run": 50},
  "waker": {"loop": 4, "sleep": 2000, "resume": "sleeper"},
  "taker": {"loop": 3, "sem_wait": "s", "run": 10},
  "giver": {"loop": 3, "sem_post": "s", "yield": ""},
  "waiter": {"loop": 1, "lock": "c", "wait": {"ref": "q", "mutex": "c"}, "unlock": "c"},
  "caller": {"loop": 1, "sleep": 1000, "broad": "q", "fork": "extra"},
  "extra": {"instance": 0, "loop": 1, "priority": 5, "runtime": 100},
 },
 "global": {"duration": 2, "default_policy": "SCHED_OTHER", "calibration": 100}, // that is all
}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ImportProblems) as caught:
        FORMAT.read("a.json", io.BytesIO(text.encode()))
    return [str(problem) for problem in caught.value.problems]


def loops(output: str) -> dict[str, list[list[int]]]:
    """Return, for each thread, the numbers of its lines."""
    found: dict[str, list[list[int]]] = {}
    for line in output.splitlines()[1:-1]:
        name, *numbers = line.split()
        found.setdefault(name, []).append([int(number) for number in numbers])
    return found


def emulated(folder: Path, text: str) -> str:
    folder.joinpath("app.json").write_text(text)
    folder.joinpath("c.yaml").write_text(CONFIG)
    loaded = load_config(folder / "c.yaml")
    result = LocalRun(request_of(loaded, resolve(loaded))).run()
    assert result.exit_kind == "done"
    return console_outputs(result)["app.json"][0].decode()


EXPECTED = {
    "periodic-0": 3,
    **{"pair-1": 2, "pair-2": 2, "sleeper-3": 2, "waker-4": 4, "taker-5": 3, "giver-6": 3},
    **{"waiter-7": 1, "caller-8": 1, "extra-8-0": 1},
}


def test_every_thread_does_its_loops_on_the_emulated_machine(tmp_path: Path) -> None:
    found = loops(emulated(tmp_path, PAIRS))
    assert {name: len(lines) for name, lines in found.items()} == EXPECTED


def test_a_repeated_run_counts_each_time_and_a_timer_keeps_its_period(tmp_path: Path) -> None:
    lines = loops(emulated(tmp_path, PAIRS))["periodic-0"]
    assert [line[8] for line in lines] == [1200] * 3
    assert all(3900 <= line[3] <= 4100 for line in lines)


@pytest.mark.native
def test_the_same_loops_are_done_natively_but_for_wake_ups_that_come_too_early(
    tmp_path: Path,
) -> None:
    tmp_path.joinpath("app.json").write_text(PAIRS)
    program = tmp_path / "p.py"
    program.write_text(program_of(tmp_path / "app.json"))
    result = run_native(program, [])
    found = loops(result.stdout.decode())
    counted = {name: len(lines) for name, lines in found.items()}
    for name in ("sleeper-3", "waiter-7"):  # on a busy host nobody may wait yet when they are woken
        assert counted.pop(name, 0) <= EXPECTED[name]
    assert counted == {name: count for name, count in EXPECTED.items() if name in counted}
    assert len(counted) == len(EXPECTED) - 2


def test_a_thread_without_end_stops_when_the_duration_is_over(tmp_path: Path) -> None:
    text = """{"tasks": {"a": {"run": 100, "sleep": 9900}, "b": {"suspend": ""}},
               "global": {"duration": 1}}"""
    found = loops(emulated(tmp_path, text))
    assert list(found) == ["a-0"]
    assert 95 <= len(found["a-0"]) <= 101


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "a.json:1:1: expected a value (found the end)"),
        ('{"tasks": {"a": {"run": 1', "a.json:1:26: expected ',' or '}' (found the end)"),
        ('{"tasks": {}} x', "a.json:1:15: expected the end of the file (found 'x')"),
        ("[]", "a.json:1:1: must be an object with tasks"),
        ("{}", "a.json:1:1: tasks: is required"),
        ('{"tasks": {}}', "a.json:1:11: tasks: must not be empty"),
        (
            '{"tasks": {"a": {"run": "5"}}}',
            "a.json:1:25: tasks.a.run: must be a whole number (got '5')",
        ),
        (
            '{"tasks": {"a": {"run": 1, "colour": 2}}}',
            "a.json:1:28: tasks.a.colour: unknown key (known here: instance, loop, delay, phases,"
            " cpus, policy, priority, dl-runtime, dl-period, dl-deadline)",
        ),
        (
            '{"tasks": {"a": {"mem": 1}}}',
            "a.json:1:18: tasks.a.mem: is not supported: the emulated machine has no model of"
            " caches, by which its time would be known",
        ),
        (
            '{"tasks": {"a": {"run": 1, "timer": {"period": 5}}}}',
            "a.json:1:37: tasks.a.timer.ref: is required",
        ),
        (
            '{"tasks": {"a": {"fork": "b"}}}',
            "a.json:1:26: tasks.a.fork: there is no task of this name (got 'b')",
        ),
        (
            '{"tasks": {"a": {"run": 1}}, "global": {"pi_enabled": true}}',
            "a.json:1:55: global.pi_enabled: is not supported: mutexes here are semaphores, which"
            " lend no priority",
        ),
        (
            '{"tasks": {"a": {"run": 1, "policy": "SCHED_FAST"}}}',
            "a.json:1:38: tasks.a.policy: must be one of SCHED_OTHER, SCHED_FIFO, SCHED_RR,"
            " SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE (got 'SCHED_FAST')",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, found: str) -> None:
    assert problems(text) == [found]


def test_all_problems_of_both_files_are_said_at_once(tmp_path: Path) -> None:
    tmp_path.joinpath("app.json").write_text('{"tasks": {"a": {"run": -1,\n "lock": 7}}}')
    tmp_path.joinpath("c.yaml").write_text(CONFIG)
    with pytest.raises(ConfigError) as caught:
        resolve(load_config(tmp_path / "c.yaml"))
    told = [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]
    assert sorted(told) == [
        "app.json:1:25: tasks.a.run: must be from 0 to 2147483648 (got -1)",
        "app.json:2:10: tasks.a.lock: must be a string (got 7)",
        "c.yaml:3:13: workloads.0.import: app.json cannot be imported",
    ]


def test_a_file_that_nobody_recognises_is_refused(tmp_path: Path) -> None:
    tmp_path.joinpath("x").write_bytes(b"\0\1\2")
    with pytest.raises(ImportProblems, match=r"no known kind of file \(known: .*rt-app"):
        program_of(tmp_path / "x")


def test_the_import_command_prints_the_program_or_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "app.json"
    file.write_text(PAIRS)
    assert run_command(["import", str(file)]) == 0
    assert capsys.readouterr().out == program_of(file)
    file.write_text("{")
    assert run_command(["import", str(file)]) == 2
    assert "app.json:1:2: expected a key or '}' (found the end)" in capsys.readouterr().err


def test_every_format_has_its_own_name() -> None:
    names = [each.name for each in formats()]
    assert len(set(names)) == len(names)


@given(st.binary(max_size=60) | st.text('{}[]",:/*\\ut1ae \n', max_size=40).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        FORMAT.read("a.json", io.BytesIO(data))
    except ImportProblems as error:
        assert error.problems


@given(st.integers(0, len(PAIRS) - 3))
@settings(max_examples=100, deadline=None)
def test_a_truncated_file_is_refused_at_a_place(length: int) -> None:
    with pytest.raises(ImportProblems) as caught:
        FORMAT.read("a.json", io.BytesIO(PAIRS[:length].encode()))
    assert all(problem.line for problem in caught.value.problems)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_value_in_any_place_is_taken_or_refused(data: st.DataObject) -> None:
    values = ("-5", "1.5", '"x"', "null", "true", "[]", "{}", '{"ref": 1}', "99999999999")
    pieces = PAIRS.split(": ")
    place = data.draw(st.integers(1, len(pieces) - 1))
    text = ": ".join(pieces[:place]) + ": " + data.draw(st.sampled_from(values)) + "}}"
    try:
        FORMAT.read("a.json", io.BytesIO(text.encode()))
    except ImportProblems as error:
        assert error.problems


def test_json_nested_too_deeply_is_refused() -> None:
    with pytest.raises(JsonTextError, match="nested deeper than 32 levels"):
        read_json("[" * 33)
