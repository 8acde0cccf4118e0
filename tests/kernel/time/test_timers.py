"""Sleeping for a time, and the clocks."""

from typing import Any

import pytest

from kernel.errors import KernelError, RestartSyscall
from kernel.messages import NEVER
from kernel.time.timers import (
    sys_clock_getres,
    sys_clock_gettime,
    sys_gettimeofday,
    sys_nanosleep,
)
from kernel.uapi.errno_ import EINVAL


def test_sleep_ends_at_its_time(mini: Any) -> None:
    task = mini.new_task()
    mini.begin(task, sys_nanosleep, 1_000_000)
    mini.run()
    start = mini.costs.timer_op
    mini.advance(start + 999_999)
    assert mini.sleeps(task)
    mini.advance(start + 1_000_000)
    assert mini.result(task) is None


def test_interrupted_sleep_goes_on_to_its_first_deadline(mini: Any) -> None:
    task = mini.new_task()
    mini.begin(task, sys_nanosleep, 1_000_000)
    mini.run()
    mini.advance(600_000)
    mini.signal(task)
    with pytest.raises(RestartSyscall):
        mini.result(task)
    assert mini.timers.some_live_ns() == NEVER
    task.sigpending = False
    mini.begin(task, sys_nanosleep, 1_000_000)
    mini.run()
    mini.advance(mini.costs.timer_op + 1_000_000)
    assert mini.result(task) is None
    mini.begin(task, sys_nanosleep, 500)
    mini.run()
    assert mini.sleeps(task)


def test_negative_sleep_is_einval(mini: Any) -> None:
    with pytest.raises(KernelError) as failed:
        mini.call(sys_nanosleep, -1)
    assert failed.value.errno == EINVAL


def test_clocks(make_mini: Any) -> None:
    k = make_mini(epoch_ns=10_000_000_000)
    k.now_ns = 5_432
    k.current.utime_ns, k.current.stime_ns = 100, 20
    thread = k.thread()
    thread.utime_ns = 7
    k.current.signal.utime_ns = 1_000  # of threads that are gone
    assert k.call(sys_clock_gettime, 1) == 5_432
    assert k.call(sys_clock_gettime, 0) == 10_000_005_432
    assert k.call(sys_clock_gettime, 2) == 1_127
    assert k.call(sys_clock_gettime, 3) == 120
    assert k.call(sys_gettimeofday) == 10_000_005_000
    with pytest.raises(KernelError):
        k.call(sys_clock_gettime, 99)


@pytest.mark.parametrize("hz", [100, 250, 300, 1000])
def test_coarse_clocks_stand_still_from_tick_to_tick(make_mini: Any, hz: int) -> None:
    k = make_mini(epoch_ns=10_000_000_000, hz=hz)
    tick_ns = 1_000_000_000 // hz
    for clock, epoch_ns in ((6, 0), (5, 10_000_000_000)):
        assert k.call(sys_clock_getres, clock) == tick_ns
        k.now_ns = 7 * tick_ns - 1
        assert k.call(sys_clock_gettime, clock) == epoch_ns + 6 * tick_ns
        k.now_ns = 7 * tick_ns
        assert k.call(sys_clock_gettime, clock) == epoch_ns + 7 * tick_ns
    assert [k.call(sys_clock_getres, clock) for clock in (0, 1, 2, 3, 4, 7, 11)] == [1] * 7
    with pytest.raises(KernelError):
        k.call(sys_clock_getres, 10)
