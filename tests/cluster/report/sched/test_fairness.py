"""Lag and Jain's index over windows."""

import pytest

from cluster.report.sched.fairness import Fairness, FairTask, jain
from kernel.uapi.policy import SCHED_IDLE

MS = 1_000_000


def two(weight_of_second: int = 120) -> tuple[Fairness, FairTask, FairTask]:
    fair = Fairness(2, 100 * MS)
    one, other = FairTask(1, "one"), FairTask(2, "other", prio=weight_of_second)
    fair.join(one, 0, 0)
    fair.join(other, 0, 0)
    return fair, one, other


def test_who_gets_its_share_by_weight_has_no_lag() -> None:
    fair, one, other = two(125)  # nice 5: 335 against 1024
    share = 100 * MS * 1024 // 1359
    fair.run(one, 0, 0)
    fair.run(other, 0, share)
    fair.finish(100 * MS)
    found = fair.plain()
    assert found["behind_ns"]["max"] <= 1
    assert found["ahead_ns"]["max"] <= 1
    assert found["behind_ns"]["count"] + found["ahead_ns"]["count"] == 2


def test_who_runs_alone_though_another_waits_is_ahead_by_half_the_window() -> None:
    fair, one, _ = two()
    fair.run(one, 0, 0)
    fair.finish(100 * MS)
    found = fair.plain()
    assert found["ahead_ns"]["max"] == found["behind_ns"]["max"] == 50 * MS
    assert found["jain_ppm"] == {"windows": 1, "mean": 500_000, "min": 500_000}


def test_a_cpu_that_runs_another_class_owes_nobody_a_share() -> None:
    fair, _, _ = two()
    fair.run(None, 0, 0)
    fair.finish(100 * MS)
    assert fair.plain()["behind_ns"]["max"] == 0


def test_unequal_queues_show_in_the_index_and_not_in_the_lag() -> None:
    fair, one, other = two()
    third = FairTask(3, "third")
    fair.join(third, 1, 0)
    fair.run(third, 1, 0)
    for window in range(2):
        fair.close_windows(window * 100 * MS)
        fair.run(one, 0, window * 100 * MS)
        fair.run(other, 0, window * 100 * MS + 50 * MS)
    fair.finish(200 * MS)
    found = fair.plain()
    assert found["behind_ns"]["max"] == 0
    # 50, 50 and 100 ms: 200^2 / (3 * 15000)
    assert found["jain_ppm"]["mean"] == 888_888
    assert found["windows"] == 2


def test_a_task_that_slept_part_of_a_window_is_not_compared() -> None:
    fair, one, other = two()
    fair.run(one, 0, 0)
    fair.leave(other, 99 * MS)
    fair.finish(100 * MS)
    assert fair.plain()["jain_ppm"]["windows"] == 0


def test_a_new_policy_counts_at_once() -> None:
    fair, one, other = two()
    other.policy = SCHED_IDLE
    fair.reweigh(other, 0)
    fair.run(one, 0, 0)
    fair.finish(100 * MS)
    assert fair.plain()["behind_ns"]["max"] == 100 * MS * 3 // 1027


def test_time_in_which_nobody_is_runnable_is_skipped() -> None:
    fair, one, other = two()
    fair.leave(one, 10 * MS)
    fair.leave(other, 10 * MS)
    fair.close_windows(1_000_000_000_000_000)
    assert fair.windows == 10_000_000
    assert fair.plain()["behind_ns"]["count"] == 2


@pytest.mark.parametrize(("shares", "index"), [([5, 5, 5], 1_000_000), ([9, 0, 0], 333_333)])
def test_index_is_one_for_equal_shares_and_its_least_if_one_has_all(
    shares: list[int], index: int
) -> None:
    assert jain(shares) == index
