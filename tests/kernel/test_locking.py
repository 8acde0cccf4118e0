"""Locks as calendars in virtual time."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.locking import Lock, LockStat, acquire_at, earliest_free, release_at


def make_lock():
    return Lock(LockStat("test_lock"), history=True)


def hold(lock, at_ns, for_ns, *, shared=False):
    start_ns = acquire_at(lock, at_ns, shared=shared)
    release_at(lock, start_ns + for_ns)
    return start_ns


def test_a_free_lock_is_taken_at_once():
    lock = make_lock()
    assert hold(lock, 100, 10) == 100
    assert lock.stat.contended == 0


def test_a_later_path_waits_until_the_holder_is_done():
    lock = make_lock()
    hold(lock, 100, 50)
    assert hold(lock, 120, 10) == 150
    stat = lock.stat
    assert (stat.acquisitions, stat.contended, stat.wait_ns, stat.hold_ns) == (2, 1, 30, 60)
    assert stat.wait_max_ns == 30


def test_a_path_served_later_takes_a_gap_before_a_hold_entered_earlier():
    lock = make_lock()
    hold(lock, 1_000, 50)
    assert hold(lock, 200, 10) == 200
    assert hold(lock, 1_010, 10) == 1_050


def test_readers_do_not_wait_for_readers():
    lock = make_lock()
    hold(lock, 100, 50, shared=True)
    assert hold(lock, 110, 50, shared=True) == 110
    assert lock.stat.contended == 0


def test_a_writer_waits_for_the_last_reader_and_a_reader_for_the_writer():
    lock = make_lock()
    hold(lock, 100, 50, shared=True)
    assert hold(lock, 120, 30) == 150
    assert hold(lock, 160, 5, shared=True) == 180


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(1, 60)), max_size=60))
def test_no_hold_starts_inside_an_exclusive_hold_in_the_calendar(wishes):
    lock = make_lock()
    for at_ns, for_ns in wishes:
        before = list(zip(lock.starts, lock.ends))
        start_ns = hold(lock, at_ns, for_ns)
        assert start_ns >= at_ns
        assert not any(start <= start_ns < end for start, end in before)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 60)), min_size=1, max_size=60))
def test_requests_in_time_order_never_overlap(steps):
    lock = make_lock()
    now_ns = 0
    free_ns = 0
    for gap_ns, for_ns in steps:
        now_ns += gap_ns
        start_ns = hold(lock, now_ns, for_ns)
        assert start_ns == max(now_ns, free_ns)
        free_ns = start_ns + for_ns


def test_a_lock_of_one_object_remembers_its_last_hold():
    lock = Lock(LockStat("siglock"))
    hold(lock, 1_000, 50)
    assert hold(lock, 200, 10) == 200
    hold(lock, 2_000, 50)
    assert hold(lock, 2_010, 5) == 2_050


def test_the_calendar_stays_short():
    lock = make_lock()
    for at_ns in range(0, 100_000, 100):
        hold(lock, at_ns, 10)
    assert len(lock.starts) <= 32
    assert earliest_free(lock, 99_905) == 99_910


def test_a_writer_does_not_wait_for_readers_that_come_later_in_virtual_time():
    lock = make_lock()
    hold(lock, 1_000, 50, shared=True)
    assert hold(lock, 200, 10) == 200
    assert hold(lock, 1_010, 10) == 1_050


def test_a_lock_of_one_object_forgets_its_hold_when_an_earlier_one_comes_late():
    lock = Lock(LockStat("test_lock"))
    hold(lock, 1_000, 50)
    assert hold(lock, 200, 10) == 200
    assert hold(lock, 500, 10) == 500
    assert lock.stat.wait_ns == 0
