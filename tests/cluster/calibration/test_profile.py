"""The file that a calibration leaves, and who reads it."""

from pathlib import Path

import pytest

from cluster.build import load_profile, resolve
from cluster.calibration.estimate import estimate
from cluster.calibration.profile import host_facts, profile_text
from cluster.calibration.solve import Check, Found
from cluster.calibration.steps import CHECKS, STEPS, Step
from cluster.config import CostProfile, load_config, load_model

SHARED = next(step for step in STEPS if step.probe == "signal")


def found(step: Step, *, noisy: bool = False) -> list[Found]:
    measured = estimate([900.0, 1_000.0, 1_100.0])
    low, high = (500, 1_500) if noisy else (990, 1_010)
    return [Found(name, step, 1_000, low, high, measured, False) for name in step.costs]


def written(folder: Path, noisy: bool = False) -> Path:
    every = [each for step in STEPS for each in found(step, noisy=noisy)]
    check = Check(CHECKS[0], estimate([100.0]), 110.0)
    path = folder / "costs.yaml"
    path.write_text(profile_text("mine", {"cpu": "a: b # c"}, every, [check]))
    return path


def test_the_file_is_a_cost_profile_with_intervals_and_host(tmp_path: Path) -> None:
    profile, _ = load_model(CostProfile, written(tmp_path))
    assert profile.name == "mine"
    assert profile.host == {"cpu": "a: b # c"}
    assert profile.costs["context_switch"].interval == [990, 1_010]


def test_units_are_those_that_the_loader_asks_for(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path))["copy_byte_x1000"] == 1_000


def test_a_configuration_takes_the_file(tmp_path: Path) -> None:
    written(tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text("costs: ./costs.yaml\nworkloads: [{program: fork_exec_storm}]\n")
    assert resolve(load_config(config)).costs.copy_mm == 1_000


def test_a_noisy_value_says_so_where_it_is_read() -> None:
    text = profile_text("mine", {}, found(SHARED, noisy=True), [])
    assert text.count("; noisy") == len(SHARED.costs)


def test_what_nothing_was_fitted_to_stands_at_the_head() -> None:
    check = Check(CHECKS[0], estimate([100.0]), 110.0)
    assert "(+10.0%)" in profile_text("mine", {}, found(SHARED), [check]).split("name:")[0]


def test_facts_of_a_host_that_tells_nothing_are_not_known(tmp_path: Path) -> None:
    facts = host_facts(tmp_path)
    assert facts["governor"] == "not known"
    assert facts["load"] == "not known"


def test_facts_of_a_host_come_from_proc(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("model name\t: Z80\nflags\t: fpu hypervisor\n")
    facts = host_facts(tmp_path)
    assert (facts["cpu"], facts["hypervisor"]) == ("Z80", "yes")


@pytest.mark.parametrize("interval", ["[1]", "[2, x]", "[-1, 5]"])
def test_a_broken_interval_is_refused_with_its_place(tmp_path: Path, interval: str) -> None:
    path = tmp_path / "costs.yaml"
    path.write_text(
        f"name: mine\ncosts:\n  copy_mm: {{value: 1, unit: ns, source: x, interval: {interval}}}\n"
    )
    with pytest.raises(Exception, match=r"costs\.yaml:3:\d+"):
        load_profile(path)
