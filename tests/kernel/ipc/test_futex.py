"""User locks."""

from typing import Any

import pytest

from kernel.errors import GuestFault, RestartSyscall
from kernel.ipc.futex import sys_lock_acquire, sys_lock_locked, sys_lock_release
from kernel.uapi.failure import NOT_LOCKED

LOCK = 7


def test_lock_is_free_until_taken(mini: Any) -> None:
    assert not mini.call(sys_lock_locked, LOCK)
    assert mini.call(sys_lock_acquire, LOCK, True, -1) is True
    assert mini.call(sys_lock_locked, LOCK)
    assert mini.call(sys_lock_acquire, LOCK, False, -1) is False
    mini.call(sys_lock_release, LOCK)
    assert not mini.call(sys_lock_locked, LOCK)


def test_release_of_a_free_lock_says_so(mini: Any) -> None:
    with pytest.raises(GuestFault) as fault:
        mini.call(sys_lock_release, LOCK)
    assert fault.value.error == (NOT_LOCKED, None, None)


def test_sleepers_get_the_lock_in_order_of_arrival(mini: Any) -> None:
    mini.call(sys_lock_acquire, LOCK, True, -1)
    threads = [mini.thread() for _ in range(4)]
    for thread in threads:
        mini.begin(thread, sys_lock_acquire, LOCK, True, -1)
    mini.run()
    for index, thread in enumerate(threads):
        assert [mini.sleeps(t) for t in threads] == [i >= index for i in range(4)]
        mini.call(sys_lock_release, LOCK)  # any thread may
        assert mini.result(thread) is True


def test_timeout_gives_up_at_its_time(mini: Any) -> None:
    mini.call(sys_lock_acquire, LOCK, True, -1)
    thread = mini.thread()
    start = mini.now_ns + mini.costs.lock_op
    mini.begin(thread, sys_lock_acquire, LOCK, True, 5_000)
    mini.run()
    mini.advance(start + 4_999)
    assert mini.sleeps(thread)
    mini.advance(start + 5_000)
    assert mini.result(thread) is False
    mini.call(sys_lock_release, LOCK)
    assert not mini.call(sys_lock_locked, LOCK)


def test_restarted_acquire_keeps_its_first_deadline(mini: Any) -> None:
    mini.call(sys_lock_acquire, LOCK, True, -1)
    thread = mini.thread()
    until = mini.now_ns + mini.costs.lock_op + 10_000
    mini.begin(thread, sys_lock_acquire, LOCK, True, 10_000)
    mini.run()
    mini.advance(until - 3_000)
    mini.signal(thread)
    with pytest.raises(RestartSyscall):
        mini.result(thread)
    thread.sigpending = False
    mini.begin(thread, sys_lock_acquire, LOCK, True, 10_000)
    mini.run()
    mini.advance(until)
    assert mini.result(thread) is False
    assert thread.restart_ns == 0


def test_fork_copies_the_value_but_not_the_sleepers(mini: Any) -> None:
    mini.call(sys_lock_acquire, LOCK, True, -1)
    thread = mini.thread()
    mini.begin(thread, sys_lock_acquire, LOCK, True, -1)
    mini.run()
    child = mini.fork()
    mini.as_task(child, sys_lock_release, LOCK)
    assert mini.sleeps(thread)
    assert mini.call(sys_lock_locked, LOCK)
    assert not mini.as_task(child, sys_lock_locked, LOCK)


def test_lock_taken_by_a_third_makes_the_woken_sleeper_sleep_again(mini: Any) -> None:
    mini.call(sys_lock_acquire, LOCK, True, -1)
    thread = mini.thread()
    mini.begin(thread, sys_lock_acquire, LOCK, True, -1)
    mini.run()
    mini.walk(sys_lock_release(mini, LOCK))
    mini.current.mm.locks[LOCK].locked = True  # faster than the sleeper that was woken
    mini.run()
    assert mini.sleeps(thread)
    mini.call(sys_lock_release, LOCK)
    assert mini.result(thread) is True
