"""Statistics of explorations."""

from types import SimpleNamespace

import pytest

from cluster.race import explore as explore_module
from cluster.race.explore import Plan, explore, hit_rate
from cluster.race.run import Scenario
from cluster.race.strategies import Learned


def test_the_interval_of_a_hit_rate_is_wilsons():
    rate, low, high = hit_rate(10, 100)
    assert rate == 0.1
    assert (low, high) == (pytest.approx(0.05523, abs=1e-5), pytest.approx(0.17437, abs=1e-5))


def test_runs_before_the_first_do_not_count_as_time_of_the_runs(
    fork: Scenario, followed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    def slow(*_: object) -> Learned:
        clock[0] += 60.0
        return Learned()

    monkeypatch.setattr(explore_module, "learn", slow)
    monkeypatch.setattr(explore_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    found = explore(Plan(fork, "random", runs=10, time_s=0.001))
    assert (found.runs, found.finished) == (10, True)


def test_of_runs_none_of_which_failed_the_rule_of_three_speaks():
    assert hit_rate(0, 300) == (0.0, 0.0, 0.01)
    assert hit_rate(0, 2) == (0.0, 0.0, 1.0)
