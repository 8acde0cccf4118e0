"""A median and an interval of ranks, on samples that are made up."""

import random

import pytest

from cluster.calibration.estimate import estimate


def test_the_value_is_the_median_and_one_wild_sample_does_not_move_it() -> None:
    found = estimate([10.0, 11.0, 12.0, 13.0, 1_000_000.0])
    assert found.value == 12.0


def test_of_few_samples_the_interval_is_all_of_them_and_says_how_little_that_is() -> None:
    found = estimate([3.0, 1.0, 2.0])
    assert (found.low, found.high, found.coverage) == (1.0, 3.0, 0.75)


def test_of_many_samples_the_interval_leaves_out_the_ends() -> None:
    found = estimate([float(number) for number in range(100)])
    assert (found.low, found.high) == (39.0, 60.0)
    assert found.coverage >= 0.95


def test_the_interval_has_the_true_median_about_as_often_as_it_says() -> None:
    numbers = random.Random(7)
    hits = 0
    for _ in range(2_000):
        found = estimate([numbers.expovariate(1.0) for _ in range(15)])
        hits += found.low <= 0.693147 <= found.high
    assert hits / 2_000 == pytest.approx(found.coverage, abs=0.02)


def test_a_wide_interval_is_noisy_and_a_narrow_one_is_not() -> None:
    assert estimate([80.0, 100.0, 120.0]).noisy
    assert not estimate([95.0, 100.0, 105.0]).noisy


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        estimate([])
