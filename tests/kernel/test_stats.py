"""Histograms and counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.stats import CpuStats, Histogram, KernelStats

VALUES = st.lists(st.integers(0, 1 << 50), min_size=1, max_size=200)


def filled(values):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(VALUES, st.sampled_from([0, 1, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_at_most_a_thirty_second_above_the_nearest_rank(values, percent):
    histogram = filled(values)
    rank = max(1, -(-round(percent * 10) * len(values) // 1000))
    exact = sorted(values)[rank - 1]
    assert exact <= histogram.percentile(percent) <= exact + exact // 32
    assert histogram.percentile(percent) <= max(values)


@given(VALUES, VALUES)
def test_merging_is_the_same_as_recording_in_one(left, right):
    merged = filled(left)
    merged.merge(filled(right))
    assert merged.to_plain() == filled(left + right).to_plain()
    assert Histogram.from_plain(merged.to_plain()).to_plain() == merged.to_plain()
    assert (merged.count, merged.total) == (len(left + right), sum(left + right))


def test_small_values_are_exact():
    for value in range(64):
        assert filled([value, 1000]).percentile(50) == value


def test_an_empty_histogram_has_no_percentiles_but_zero():
    assert Histogram().summary() == {"count": 0, "p50": 0, "p90": 0, "p99": 0, "max": 0}


def test_negative_values_and_percentages_are_refused():
    with pytest.raises(ValueError, match="takes no negative value: -1"):
        Histogram().record(-1)
    with pytest.raises(ValueError, match="percentile 101 is outside"):
        Histogram().percentile(101)


def test_counters_add_and_peaks_take_the_larger():
    one, two = KernelStats(), KernelStats()
    one.forks, two.forks = 2, 3
    one.peak_tasks, two.peak_tasks = 7, 5
    one.merge(two)
    assert (one.forks, one.peak_tasks) == (5, 7)
    assert KernelStats.from_plain(one.to_plain()).to_plain() == one.to_plain()


def test_cpu_stats_carry_their_histograms():
    stats = CpuStats()
    stats.violation(500)
    stats.rq_wait.record(9)
    copy = CpuStats.from_plain(stats.to_plain())
    copy.merge(stats)
    assert copy.violations == 2
    assert copy.lateness.maximum == 500
    assert copy.rq_wait.count == 2


def test_values_up_to_a_limit_are_counted_by_whole_buckets():
    histogram = Histogram()
    for value in (0, 5, 63, 64, 1000, 100_000):
        histogram.record(value)
    assert [histogram.count_up_to(limit) for limit in (0, 5, 62, 63, 2000, 10**6)] == [
        1, 2, 2, 3, 5, 6
    ]  # fmt: skip
