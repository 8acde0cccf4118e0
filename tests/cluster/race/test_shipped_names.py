"""Scenarios are found by name, checked by ``validate``, and told from configurations."""

from pathlib import Path

import pytest

from cluster.cli.main import run_command as main
from cluster.race.shipped import is_scenario, scenario_names

FOLDER = Path(__file__).parents[3] / "configs" / "races"


def test_a_shipped_scenario_is_found_by_its_name(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["race", "run", "wait_against_exit", "--unmutated", "--runs", "1"]) == 0
    assert capsys.readouterr().out.startswith("wait_against_exit: ")


def test_a_name_that_is_none_is_told_with_the_nearest(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["race", "run", "lost_wakup"]) == 2
    assert "did you mean lost_wakeup?" in capsys.readouterr().err


@pytest.mark.parametrize("name", scenario_names())
def test_every_shipped_scenario_is_listed_and_valid(name, capsys):
    assert main(["list", "races"]) == 0
    assert f"{name} " in capsys.readouterr().out
    assert main(["validate", name]) == 0
    assert f"{name}: valid: a scenario of races, " in capsys.readouterr().out


def test_what_is_wrong_with_a_scenario_is_told_by_validate_with_its_place(capsys, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("title: x\nprogram: there_is_none.py\ncpus: 0\nexpct: {}\n")
    assert is_scenario(path)
    assert main(["validate", str(path)]) == 2
    err = capsys.readouterr().err
    assert f"{path}:3:7: cpus: " in err
    assert f"{path}:4:1: expct: unknown key (did you mean expect?)" in err


def test_smplab_run_says_what_runs_a_scenario(capsys):
    assert main(["run", str(FOLDER / "lost_wakeup.yaml")]) == 2
    assert "a scenario of races: smplab race run runs it" in capsys.readouterr().err
