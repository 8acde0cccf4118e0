"""Statistics of explorations."""

import pytest

from cluster.race.explore import hit_rate


def test_the_interval_of_a_hit_rate_is_wilsons():
    rate, low, high = hit_rate(10, 100)
    assert rate == 0.1
    assert (low, high) == (pytest.approx(0.05523, abs=1e-5), pytest.approx(0.17437, abs=1e-5))


def test_of_runs_none_of_which_failed_the_rule_of_three_speaks():
    assert hit_rate(0, 300) == (0.0, 0.0, 0.01)
    assert hit_rate(0, 2) == (0.0, 0.0, 1.0)
