"""Percentiles and errors of what both sides did."""

from cluster.prediction.numbers import Row, latencies
from cluster.prediction.rows import rows_of


def test_percentiles_are_samples_and_few_samples_have_them_too() -> None:
    found = latencies("fork", list(range(100, 0, -1)))
    assert (found["fork_p50"], found["fork_p95"], found["fork_p99"]) == (50.0, 95.0, 99.0)
    assert latencies("fork", [7])["fork_p99"] == 7.0


def test_no_call_has_no_latency() -> None:
    assert latencies("wait", []) == {}


def test_the_error_is_relative_to_the_host() -> None:
    assert Row("makespan", 150.0, 100.0, 95.0, 105.0).error == 0.5


def test_rows_have_the_median_of_the_runs_and_only_what_both_sides_have() -> None:
    runs = [{"makespan": 10.0, "made": 3.0}, {"makespan": 30.0}, {"makespan": 11.0}]
    (row,) = rows_of({"makespan": 12.0, "fork_mean": 5.0}, runs)
    assert (row.measure, row.native, row.low, row.high) == ("makespan", 11.0, 10.0, 30.0)
