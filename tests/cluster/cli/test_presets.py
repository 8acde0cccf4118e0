"""Presets where commands take a configuration or a program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.exit_codes import OK, USAGE

Captured = pytest.CaptureFixture[str]
SMALL = "hackbench:-p -g 1 -f 2 -l 2"


def test_a_preset_runs_where_a_configuration_may_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["run", SMALL, "--set", "machine.cpus=2", "--record", "order"]) == OK
    assert "hackbench: Each sender will pass 2 messages" in capsys.readouterr().out
    (kept,) = [path for path in Path("runs").iterdir() if not path.is_symlink()]
    assert "-hackbench" in kept.name
    assert run_command(["replay", str(kept)]) == OK


def test_what_is_wrong_with_a_preset_is_told_with_its_text(capsys: Captured) -> None:
    for command in (["validate"], ["native"], ["import"], ["diff"]):
        assert run_command([*command, "hackbench:-g x"]) == USAGE
        told = capsys.readouterr().err
        assert "hackbench:-g x: " in told
        assert "-g: must be a whole number from 1 to 1000 (got 'x')" in told


def test_a_preset_in_a_configuration_has_its_place(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "workloads:\n  - preset: stressng:fork,ops=3\n    params: {report: plain}\n"
        "  - preset: stressng:fork,ops=4\n"
    )
    assert run_command(["validate", str(path)]) == OK
    path.write_text("workloads:\n  - {preset: 'hackbench:-z', program: a.py}\n  - preset: 'a:b'\n")
    assert run_command(["validate", str(path)]) == USAGE
    told = capsys.readouterr().err.splitlines()
    assert "workloads.0: has both program and preset: name one" in told[0]
    assert f"{path}:3:13: workloads.1.preset: no preset 'a:b'" in told[1]


def test_import_prints_the_program_and_native_runs_it(tmp_path: Path, capsys: Captured) -> None:
    assert run_command(["import", SMALL]) == OK
    program = capsys.readouterr().out
    assert "\nTABLE = {'groups': 1, 'loops': 2" in program
    done = subprocess.run(
        [sys.executable, "-m", "cluster.entry", "native", SMALL, "report=plain"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "4 tasks have ended")


def test_a_prediction_takes_a_preset(capsys: Captured) -> None:
    command = ["predict", SMALL, "--set", "machine.cpus=1", "--repeat", "1", "--json"]
    assert run_command(command) == OK
    rows = {row["measure"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["throughput"]["native"] > 0


def test_families_are_listed_each_with_its_options(capsys: Captured) -> None:
    assert run_command(["list", "presets"]) == OK
    assert "hackbench:…" in capsys.readouterr().out
    for name in ("hackbench", "hackbench:"):
        assert run_command(["list", name]) == OK
        assert "-g, --groups" in capsys.readouterr().out


def test_compare_puts_the_sides_of_a_preset_into_one_table(capsys: Captured) -> None:
    command = ["compare", "--host", SMALL, "--cpus", "1", "--repeat", "1"]
    assert run_command([*command, "--json"]) == OK
    found = json.loads(capsys.readouterr().out)
    sides = {row["side"]: row for row in found["rows"] if row["measure"] == "messages/s"}
    assert (found["cpus"], {"emulated", "native"} <= set(sides)) == (1, True)
    assert sides["native"]["value"] > 0
    assert run_command([*command, "--csv"]) == OK
    assert capsys.readouterr().out.startswith("measure,side,runs,value,low,high,coverage\ntime,")
    assert run_command(command) == OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{SMALL}, 1 CPU, costs of default"
    assert lines[2].split()[:2] == ["time", "emulated"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--host", SMALL, SMALL], "--host: name one preset"),
        (["--host", "cow_touch"], "cow_touch: no preset (smplab list presets); smplab predict"),
        (["--host", SMALL, "--by", "seed"], "--by and --measure are not for --host"),
        (["a", "b", "--repeat", "3", "--set", "x=1"], "--repeat, --set: only with --host"),
        (["--host", SMALL, "--set", "linux=2.6.34"], "cannot run natively: linux: 2.6.34"),
        (["--host", "ostep:fork"], "ostep:fork: prints no times of this host"),
        (["--host", "hackbench:-x"], "hackbench:-x: -x: no such option"),
    ],
)
def test_what_cannot_be_compared_with_the_host_is_refused(
    words: list[str], what: str, capsys: Captured
) -> None:
    assert run_command(["compare", *words]) == USAGE
    assert what in capsys.readouterr().err


def test_a_comparison_calls_a_preset_as_it_was_typed(capsys: Captured) -> None:
    assert run_command(["diff", SMALL, "--cpus", "1", "--json", "--", "report=plain"]) == OK
    (row,) = json.loads(capsys.readouterr().out)
    assert row["program"] == SMALL
