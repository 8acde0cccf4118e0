"""``smplab race``: exit codes, replay strings, records, and the same result for any workers."""

import json
from pathlib import Path

import pytest

from cluster.cli.main import run_command as main

WAIT = str(Path(__file__).parents[3] / "configs" / "races" / "wait_against_exit.yaml")


def found(capsys, *arguments: str) -> dict:
    assert main(["race", "run", WAIT, "--json", *arguments]) == 1
    return json.loads(capsys.readouterr().out)


def test_a_dropped_lock_is_found_and_the_printed_command_replays_it(capsys):
    bug = found(capsys)["bug"]
    assert bug["kind"] == "data race"
    words = bug["command"].split()
    assert words[:2] == ["smplab", "race"]
    assert main(words[1:]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"the same {bug['steps']} steps: data race, digest ")


def test_a_kernel_without_mutations_is_clean_and_ends_with_0(capsys):
    assert main(["race", "run", WAIT, "--unmutated", "--runs", "20"]) == 0
    assert "clean: with 95 % confidence fewer than 15.00% of such runs fail" in (
        capsys.readouterr().out
    )


def test_runs_have_the_same_result_whoever_makes_them(capsys):
    arguments = ("--keep-going", "--runs", "25")
    assert found(capsys, *arguments) == found(capsys, *arguments, "--jobs", "2")


@pytest.mark.parametrize(
    "strategy", ["random", "pct2", "pct3", "pct5", "pos", "surw", "delay", "hold"]
)
def test_every_strategy_makes_runs(strategy, capsys):
    data = found(capsys, "--strategy", strategy, "--runs", "200")
    assert data["bug"]["strategy"] == strategy


def test_a_record_tells_the_step_and_both_points_where_a_replay_diverges(tmp_path, capsys):
    saved = tmp_path / "bug.json"
    found(capsys, "--save", str(saved))
    assert main(["race", "replay", str(saved), WAIT]) == 1
    capsys.readouterr()
    record = json.loads(saved.read_text())
    record["names"].append("release_task.unhash")
    record["steps"][40] = [len(record["names"]) - 1, 1]
    saved.write_text(json.dumps(record))
    assert main(["race", "replay", str(saved), WAIT]) == 3
    err = capsys.readouterr().err
    assert err.startswith(
        "smplab: replay diverged: step 41: expected release_task.unhash on cpu 1, found "
    )


def test_a_record_whose_steps_are_not_those_of_its_string_is_refused(tmp_path, capsys):
    saved = tmp_path / "bug.json"
    found(capsys, "--save", str(saved))
    record = json.loads(saved.read_text())
    count = len(record["steps"])
    record["steps"].pop()
    saved.write_text(json.dumps(record))
    assert main(["race", "replay", str(saved), WAIT]) == 2
    said = f"the record has {count - 1} steps, and its replay string {count}"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "prove"])
def test_a_file_that_cannot_be_written_is_told_before_anything_runs(command, tmp_path, capsys):
    option = {"run": "--save", "prove": "--checkpoint"}[command]
    path = tmp_path / "none" / "file.json"
    assert main(["race", command, WAIT, option, str(path)]) == 2
    said = capsys.readouterr()
    assert said.err == f"smplab: usage: {option}: {path}: No such file or directory\n"
    assert not said.out


def test_a_bug_is_told_though_its_file_could_not_be_written_in_the_end(
    tmp_path, capsys, monkeypatch
):
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cluster.rundir.write_atomically", full)
    assert main(["race", "run", WAIT, "--save", str(tmp_path / "bug.json")]) == 2
    said = capsys.readouterr()
    assert "again: smplab race replay smp1." in said.out
    assert "No space left on device" in said.err


def test_a_string_of_other_mutations_is_refused_before_anything_runs(capsys):
    text = found(capsys)["bug"]["replay"]
    assert main(["race", "replay", text, WAIT, "--unmutated"]) == 2
    assert "mutations" in capsys.readouterr().err
    assert main(["race", "replay", text, WAIT, "--cpus", "4"]) == 2
    assert "another machine" in capsys.readouterr().err
    assert main(["race", "replay", text[:-3], WAIT]) == 2
    assert "replay string" in capsys.readouterr().err


def test_a_replay_stops_where_it_is_told_to_and_says_what_may_be_next(capsys):
    text = found(capsys)["bug"]["replay"]
    assert main(["race", "replay", text, WAIT, "--until", "8", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["stopped"] and len(data["steps"]) == 8 and data["next"]


def test_time_that_ends_the_runs_that_were_asked_for_is_exit_code_4(capsys):
    arguments = ["--unmutated", "--runs", "100000", "--time", "0.001"]
    assert main(["race", "run", WAIT, *arguments]) == 4
    assert "the time was up" in capsys.readouterr().out


def test_a_strategy_that_is_none_is_a_usage_error(capsys):
    assert main(["race", "run", WAIT, "--strategy", "luck"]) == 2
    assert "--strategy: expected portfolio" in capsys.readouterr().err


def test_dpor_makes_one_run_for_each_order_and_says_when_none_is_left(capsys):
    close = ["race", "run", "write_against_close", "--strategy", "dpor"]
    assert main([*close, "--unmutated"]) == 0
    out = capsys.readouterr().out
    assert "clean, and no order of steps is left that can matter" in out
    assert main([*close, "--unmutated", "--runs", "5", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["complete"], plain["runs"], plain["hit_rate"]) == (False, 5, None)
    assert main([*close, "--json"]) == 1
    bug = json.loads(capsys.readouterr().out)["bug"]
    assert bug["kind"] == "data race"
    assert main(bug["command"].split()[1:]) == 1


@pytest.mark.parametrize("option", [["--seed", "3"], ["--audit", "2"], ["--model", "arm"]])
def test_dpor_refuses_what_says_nothing_to_it(option, capsys):
    words = ["race", "run", "write_against_close", "--strategy", "dpor", *option]
    assert main(words) == 2
    assert capsys.readouterr().err
