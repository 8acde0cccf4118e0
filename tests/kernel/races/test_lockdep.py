"""The lock-order checker, without a kernel around it."""

import pytest

from kernel.drive.lockdep import LockDep, check_end_of_path, check_sleep, check_waiting
from kernel.errors import InvariantError
from kernel.locking import Lock, LockStat


def lock(name):
    return Lock(LockStat(name))


class Waiting:
    """What check_waiting looks at in a path."""

    def __init__(self, task, held, blocked_on):
        self.task = task
        self.held = held
        self.blocked_on = blocked_on


def take(dep, *locks):
    """Take locks one inside the other; a pair ``(lock, True)`` is taken for reading."""
    held = []
    for place, wanted in enumerate(locks):
        one, shared = wanted if type(wanted) is tuple else (wanted, False)
        dep.acquire(held, one, f"point{place}", shared, "somebody")
        held.append((one, f"point{place}", shared))


def test_two_orders_of_two_locks_are_reported_with_both_places():
    dep, a, b = LockDep(), lock("a"), lock("b")
    take(dep, a, b)
    take(dep, a, b)
    with pytest.raises(InvariantError) as broken:
        take(dep, b, a)
    story = str(broken.value)
    assert "inversion" in story
    assert "takes b at point1 with a held since point0" in story
    assert "takes a at point1 with b held since point0" in story


def test_a_circle_of_three_is_found_before_anybody_is_stuck():
    dep, a, b, c = LockDep(), lock("a"), lock("b"), lock("c")
    take(dep, a, b)
    take(dep, b, c)
    with pytest.raises(InvariantError, match="inversion"):
        take(dep, c, a)


def test_order_is_that_of_classes_not_of_single_locks():
    dep = LockDep()
    take(dep, lock("a"), lock("b"))
    with pytest.raises(InvariantError, match="inversion"):
        take(dep, lock("b"), lock("a"))


def test_readers_that_only_meet_readers_are_no_circle():
    dep, a, b = LockDep(), lock("a"), lock("b")
    take(dep, (a, True), b)
    take(dep, (a, True), lock("c"))
    take(dep, (b, True), (a, True))


def test_a_reader_that_meets_a_writer_closes_the_circle():
    dep, a, b = LockDep(), lock("a"), lock("b")
    take(dep, a, b)
    with pytest.raises(InvariantError, match="inversion"):
        take(dep, b, (a, True))


def test_reading_again_is_allowed_and_writing_again_is_not():
    dep, a = LockDep(), lock("a")
    take(dep, (a, True), (a, True))
    with pytest.raises(InvariantError, match="recursion"):
        take(dep, a, a)
    with pytest.raises(InvariantError, match="recursion"):
        take(dep, (a, True), a)


def test_two_locks_of_one_class_need_an_order():
    with pytest.raises(InvariantError, match="two locks of one class"):
        take(LockDep(), lock("a"), lock("a"))


def test_nobody_sleeps_with_a_spinlock_or_leaves_with_any_lock():
    check_sleep([(lock("mmap_lock"), "p", False)], "here", "somebody")
    with pytest.raises(InvariantError, match="sleeps at here with siglock held since p"):
        check_sleep([(lock("siglock"), "p", False)], "here", "somebody")
    check_end_of_path([], "somebody")
    with pytest.raises(InvariantError, match="mmap_lock"):
        check_end_of_path([(lock("mmap_lock"), "p", False)], "somebody")


def test_paths_that_wait_for_each_other_are_a_deadlock():
    a, b = lock("a"), lock("b")
    one = Waiting("one", [(a, "p1", False)], b)
    two = Waiting("two", [(b, "p2", False)], None)
    check_waiting(one, [one, two])
    two.blocked_on = a
    with pytest.raises(InvariantError) as broken:
        check_waiting(two, [one, two])
    assert "'two' waits for a, which 'one' took at p1" in str(broken.value)
    assert "'one' waits for b, which 'two' took at p2" in str(broken.value)
