"""Sleeps with timer slack: how late they end, and which end together."""

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local

BEGIN = """import os
import select
import time

from workloads import guest


def late(ns):
    begun = time.monotonic_ns()
    time.sleep(ns / 1e9)
    return time.monotonic_ns() - begun - ns


"""
NEAR_NS = 8_000  # what a sleep and a wake-up cost


def numbers(tmp_path, text, **spec):
    path = tmp_path / "sleeper.py"
    path.write_text(BEGIN + text, "utf-8")
    result = run_local(RunRequest(guest_spec(path, [], **spec)))
    assert result.exit_kind == DONE, result.message
    return [int(line) for line in result.outputs["sleeper.py.stdout"].decode().split()]


@pytest.mark.parametrize(("slack", "due"), [(True, 50_000), (False, 0)])
def test_a_lone_sleep_ends_at_the_end_of_its_slack(tmp_path, slack, due):
    (late,) = numbers(tmp_path, "print(late(1000000))\n", timer_slack=slack)
    assert due < late < due + NEAR_NS


def test_the_slack_is_what_prctl_says_and_real_time_tasks_have_none(tmp_path):
    text = """guest.prctl(guest.PR_SET_TIMERSLACK, 300000)
print(late(1000000))
guest.prctl(guest.PR_SET_TIMERSLACK, 1)
print(late(1000000))
guest.prctl(guest.PR_SET_TIMERSLACK, 0)
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
print(late(1000000))
"""
    most, least, none = numbers(tmp_path, text, timer_slack=True)
    assert 300_000 < most < 300_000 + NEAR_NS
    assert 0 < least < NEAR_NS and 0 < none < NEAR_NS


def test_a_poll_may_be_late_by_a_thousandth_and_of_a_nice_task_by_a_two_hundredth(tmp_path):
    text = """for nice in (0, 5):
    os.nice(nice)
    begun = time.monotonic_ns()
    select.select([], [], [], 0.4)
    print(time.monotonic_ns() - begun - 400000000)
"""
    first, nice = numbers(tmp_path, text, timer_slack=True)
    assert 400_000 < first < 400_000 + NEAR_NS
    assert 2_000_000 < nice < 2_000_000 + NEAR_NS


@pytest.mark.parametrize("cpus", [1, 2])
def test_sleeps_of_one_cpu_whose_time_has_come_end_together(tmp_path, cpus):
    # the child's is to end 30 us later than its parent's, and has 200 us of slack
    text = f"""os.sched_setaffinity(0, {{0}})
at = time.monotonic_ns() + 5000000
if os.fork() == 0:
    os.sched_setaffinity(0, {{{cpus - 1}}})
    guest.prctl(guest.PR_SET_TIMERSLACK, 200000)
    time.sleep((at + 30000 - time.monotonic_ns()) / 1e9)
    os.write(1, str(time.monotonic_ns() - at).encode())
    os._exit(0)
time.sleep((at - time.monotonic_ns()) / 1e9)
os.wait()
"""
    (late,) = numbers(tmp_path, text, cpus=cpus, timer_slack=True)
    due = 50_000 if cpus == 1 else 230_000
    assert due < late < due + 2 * NEAR_NS
