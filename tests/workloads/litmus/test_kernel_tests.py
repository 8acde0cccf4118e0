"""The kernel's own litmus tests with herd7's answers, where they are at hand."""

import re
from pathlib import Path

import pytest

from workloads.litmus.machines.explore import explore
from workloads.litmus.oracle import observe, outcomes
from workloads.litmus.parser import parse_litmus
from workloads.litmus.report import herd_lines

FOLDER = Path(__file__).parents[4] / "shared" / "litmus"
FILES = sorted(FOLDER.glob("*.litmus")) if FOLDER.is_dir() else []

pytestmark = pytest.mark.skipif(not FILES, reason="the kernel's litmus tests are not here")
EACH = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


@EACH
def test_states_counts_and_flags_are_those_of_herd7(path: Path) -> None:
    test = parse_litmus(path.read_text())
    wanted = path.with_suffix(".litmus.expected").read_text().strip().splitlines()
    wanted = [line for line in wanted if not line.startswith(("Hash=", "Time "))]
    assert list(herd_lines(test, outcomes(test)))[:-1] == [line.strip() for line in wanted]


@EACH
def test_the_short_way_comes_to_the_same_verdict(path: Path) -> None:
    test = parse_litmus(path.read_text())
    expected = path.with_suffix(".litmus.expected").read_text()
    found = re.search(r"^Observation \S+ (\w+)", expected, re.MULTILINE)
    assert found is not None
    assert observe(test) == found.group(1)


@EACH
def test_machines_show_nothing_that_the_model_forbids(path: Path) -> None:
    test = parse_litmus(path.read_text())
    allowed = set(outcomes(test).states)
    for model in ("sc", "tso", "pso", "arm"):
        assert set(explore(test, model).states) <= allowed, model
    assert set(explore(test, "weak").states) == allowed
