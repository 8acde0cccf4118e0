"""``smplab calibrate`` and ``smplab predict`` as commands."""

import json
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.exit_codes import OK, USAGE

Captured = pytest.CaptureFixture[str]
SMALL = """
machine: {cpus: 1}
workloads: [{program: fork_exec_storm, params: {parents: 1, children: 3}}]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return str(path)


def test_predict_prints_both_sides_as_json(config: str, capsys: Captured) -> None:
    assert run_command(["predict", config, "--repeat", "1", "--json"]) == OK
    rows = {row["measure"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["makespan"]["emulated"] > 0
    assert rows["throughput"]["native"] > 0
    assert {"cpu_time", "switches", "fork_p95", "wait_mean", "speed"} <= set(rows)


def test_what_cannot_run_natively_is_refused_with_every_reason(capsys: Captured) -> None:
    assert run_command(["predict", "slow_cpus"]) == USAGE
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all("cannot run natively" in line for line in lines)


def test_a_wrong_bound_is_refused(config: str, capsys: Captured) -> None:
    assert run_command(["predict", config, "--within", "much"]) == USAGE
    assert "--within much: a percentage" in capsys.readouterr().err


def test_calibrate_says_at_once_that_it_could_not_write(tmp_path: Path, capsys: Captured) -> None:
    assert run_command(["calibrate", "-o", str(tmp_path)]) == USAGE
    assert run_command(["calibrate", "-o", str(tmp_path / "no" / "costs.yaml")]) == USAGE
    assert run_command(["calibrate", "--name", "a b"]) == USAGE
    assert len(capsys.readouterr().err.splitlines()) == 3


@pytest.mark.slow
def test_a_calibration_makes_a_profile_that_a_prediction_takes(
    config: str, tmp_path: Path, capsys: Captured
) -> None:
    costs = tmp_path / "costs.yaml"
    assert run_command(["calibrate", "--quick", "-o", str(costs)]) == OK
    assert run_command(["predict", config, "--repeat", "1", "--costs", str(costs), "--csv"]) == OK
    assert "\nmakespan," in capsys.readouterr().out
