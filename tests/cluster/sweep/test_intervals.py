"""How sure a difference is: Student's quantiles, paired and independent samples."""

import math

import pytest

from cluster.sweep.intervals import NONE, PAIRED, WELCH, difference, t_quantile


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [  # as printed in tables of Student's distribution, two sides, 5 %
        (1, 12.7062),
        (2, 4.3027),
        (3, 3.1824),
        (4, 2.7764),
        (5, 2.5706),
        (9, 2.2622),
        (29, 2.0452),
        (99, 1.9842),
        (1000, 1.9623),
    ],
)
def test_quantiles_are_those_of_the_tables(freedom, quantile):
    assert t_quantile(freedom) == pytest.approx(quantile, abs=6e-5)


def test_quantiles_fall_to_those_of_the_normal_distribution():
    found = [t_quantile(freedom / 4) for freedom in range(2, 400)]
    assert found == sorted(found, reverse=True)
    assert t_quantile(1e7) == pytest.approx(1.959964, abs=1e-5)


def test_samples_with_the_same_seeds_are_paired():
    found = difference({1: 100, 2: 200, 3: 300}, {1: 110, 2: 212, 3: 311})
    assert (found.test, found.mean_a, found.mean_b, found.value) == (PAIRED, 200, 211, 11)
    half = 4.302653 * 1 / math.sqrt(3)  # the differences 10, 12, 11 have variance 1
    assert (found.low, found.high) == pytest.approx((11 - half, 11 + half), abs=1e-5)
    assert found.clear
    assert found.percent == pytest.approx(5.5)


def test_samples_with_other_seeds_are_independent_and_may_spread_differently():
    # the example of Welch's test with variances 4 and 100, means of 5 and 3 runs
    a = {1: 18, 2: 22, 3: 20, 4: 22, 5: 18}
    b = {6: 20, 7: 30, 8: 40}
    found = difference(a, b)
    parts = (4 / 5, 100 / 3)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 2)
    half = t_quantile(freedom) * math.sqrt(sum(parts))
    assert found.test == WELCH
    assert (found.low, found.high) == pytest.approx((10 - half, 10 + half))
    assert not found.clear
    assert (found.runs_a, found.runs_b) == (5, 3)


def test_one_run_on_a_side_has_no_interval():
    found = difference({1: 5}, {1: 7})
    assert (found.value, found.low, found.high, found.test) == (2, None, None, NONE)
    assert not found.clear
    assert difference({1: 5}, {1: 7, 2: 9}).test == NONE


def test_runs_that_all_differ_by_the_same_leave_no_doubt():
    found = difference({1: 5, 2: 6}, {1: 8, 2: 9})
    assert (found.low, found.high) == (3, 3)
    found = difference({1: 5, 2: 5}, {3: 5, 4: 5})
    assert (found.low, found.high, found.clear) == (0, 0, False)


def test_of_nothing_there_is_no_share():
    assert difference({1: 0}, {1: 7}).percent is None


@pytest.mark.parametrize("spread", [1, 30])
def test_nineteen_of_twenty_intervals_have_the_true_difference(spread):
    import random

    draws = random.Random(7)
    missed = 0
    for _ in range(1000):
        a = {seed: round(draws.gauss(1000, 20)) for seed in range(8)}
        b = {seed + 100: round(draws.gauss(1050, 20 * spread)) for seed in range(8)}
        found = difference(a, b)
        missed += not found.low <= 50 <= found.high
    assert 30 <= missed <= 70
