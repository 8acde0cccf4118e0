"""``smplab list``: topics, programs, nothing wider than 80 columns."""

import sys
from pathlib import Path

import pytest

from cluster.catalogue import (
    COMMANDS,
    config_names,
    config_path,
    configs_in_folders,
    program_names,
)
from cluster.cli.listing import TOPICS
from cluster.cli.main import run_command
from cluster.config import ConfigError
from cluster.point_names import point_kinds
from kernel.costs import cost_names


def listed(capsys: pytest.CaptureFixture[str], *topic: str) -> list[str]:
    assert run_command(["list", *topic]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("topic", [*TOPICS, *program_names()])
def test_nothing_listed_is_wider_than_80_columns(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = listed(capsys, topic)
    assert lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("topic", "names"),
    [
        ("points", list(point_kinds())),
        ("costs", list(cost_names())),
        ("commands", list(COMMANDS)),
        ("configs", [*config_names(), *configs_in_folders()]),
        ("images", [f"/bin/{name}" for name in COMMANDS]),
    ],
)
def test_a_topic_lists_every_name(
    topic: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = {line.split()[0] for line in listed(capsys, topic) if line.strip()}
    assert set(names) <= found


def test_a_program_of_ones_own_is_listed_with_its_text_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "mine.py"
    program.write_text(
        '"""Mine\x07.\n\nn=3  how many\n"""\nDEFAULTS = {"n": "3"}\nKINDS = {"n": "whole 1 9"}\n'
    )
    lines = listed(capsys, str(program))
    assert lines[0] == "Mine\\x07."
    assert "n=3  how many (1 to 9)" in lines


OWN = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sync/shuffled.py:Shuffled", "a scheme; not deterministic"),
        ("toy_class.py:Toy", "a scheduling class; policies SCHED_NORMAL"),
    ],
)
def test_a_part_of_ones_own_is_listed_with_its_kind(
    name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kind in "".join(listed(capsys, f"{OWN}/{name}"))


def test_a_file_without_the_part_is_wrong_usage_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["list", f"{OWN}/toy_class.py:Other"]) == 2
    assert capsys.readouterr().err == "smplab: usage: toy_class.py: there is no Other in it\n"


def test_an_installed_scheme_is_listed_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "listed_scheme.py").write_text((OWN / "sync" / "shuffled.py").read_text())
    info = tmp_path / "listed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: listed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[smplab.schemes]\nmixed = listed_scheme:Shuffled\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "listed_scheme", raising=False)
    (line,) = (line for line in listed(capsys, "schemes") if line.startswith("mixed"))
    assert line.endswith("; installed")
    monkeypatch.delitem(sys.modules, "listed_scheme")


def test_what_is_no_topic_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["list", "nothing"]) == 2
    assert "there is nothing to list as 'nothing'" in capsys.readouterr().err


def test_shipped_configurations_are_found_by_name_unless_a_file_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fork_exec_storm").mkdir()
    assert config_path(Path("fork_exec_storm")).name == "fork_exec_storm.yaml"
    (tmp_path / "arrivals").write_text("workloads: []")
    assert config_path(Path("arrivals")) == Path("arrivals")
    assert config_path(Path("./cow_touch")).name == "cow_touch.yaml"  # a path is the same name
    assert config_path(Path("nothing.yaml")) == Path("nothing.yaml")
    with pytest.raises(ConfigError, match="did you mean prefork_server"):
        config_path(Path("prefork_sever"))


@pytest.mark.parametrize("name", [*config_names(), *configs_in_folders()])
def test_every_shipped_configuration_is_valid_by_its_name(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["validate", name]) == 0
