"""A small set of litmus tests on every machine, and the script that goes through thousands."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.oracle.litmus_machines import (
    ASKED,
    RUN,
    SEARCHED,
    Limits,
    compare,
    compare_all,
    main,
    read_log,
    table,
)

FOLDER = Path(__file__).parent / "litmus"
FILES = sorted(FOLDER.glob("*.litmus"))
EACH = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
LARGE = FOLDER / "barrier-ring.litmus"


@EACH
def test_each_machine_shows_what_the_model_and_the_next_weaker_machine_allow(path: Path) -> None:
    found = compare(path, path.name, Limits(20_000, 20_000))
    assert found.outside == []
    assert found.lost == []
    assert set(found.how.values()) == {SEARCHED}
    assert found.equal


def test_what_is_too_large_is_asked_for_its_condition_and_run_by_chance() -> None:
    found = compare(LARGE, LARGE.name, Limits(states=60, candidates=20, runs=5))
    assert found.how["weak"] in (ASKED, RUN)
    assert ASKED in found.how.values()
    assert found.outside == []
    assert found.equal is None


def test_what_is_done_is_left_out_and_what_was_too_large_is_done_again_with_higher_limits() -> None:
    low, high = Limits(states=60, candidates=20, runs=5), Limits(20_000, 20_000)
    files = [(path, path.name) for path in (LARGE, FOLDER / "pointer.litmus")]
    known = {each.file: each for each in compare_all(files, low, {})}
    assert list(compare_all(files, low, known)) == []
    assert [each.file for each in compare_all(files, high, known)] == [LARGE.name]


def test_a_log_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    bad = tmp_path / "bad.litmus"
    bad.write_text("C bad\n{}\nP0(int *x) { smp_mbb(); }\nexists (x=1)\n")
    paths = [str(FOLDER / "pointer.litmus"), str(bad)]
    monkeypatch.setattr(sys, "argv", ["litmus_machines", *paths, "--log", str(log)])
    assert main() == 0
    first = capsys.readouterr().out
    assert "1 tests" in first
    assert "refused: 1: 3:14" in first
    assert len(read_log(log)) == 2
    assert main() == 0
    assert len(log.read_text().splitlines()) == 2
    assert capsys.readouterr().out == first


def test_a_state_outside_of_the_model_is_counted(tmp_path: Path) -> None:
    found = compare(LARGE, LARGE.name, Limits(states=60, candidates=20, runs=5))
    log = tmp_path / "log"
    found.outside.append(("arm", "x=1;"))
    log.write_text(json.dumps(asdict(found)) + "\n")
    lines = table(read_log(log).values())
    assert next(line for line in lines if line.startswith("arm ")).endswith("outside of lkmm 1")
