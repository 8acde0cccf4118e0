"""The lock-order checker, without a kernel around it."""

import pytest

from kernel.drive.lockdep import (
    IN_INTERRUPTS,
    LockDep,
    check_end_of_path,
    check_sleep,
    check_waiting,
)
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


def take_in(dep, *locks, interrupt=False, leaves_on=False):
    """Take locks one inside the other, as an interrupt, or with interrupts left on."""
    held = []
    for place, wanted in enumerate(locks):
        one, shared = wanted if type(wanted) is tuple else (wanted, False)
        dep.acquire(
            held, one, f"point{place}", shared, "somebody",
            interrupt=interrupt, leaves_on=leaves_on,
        )  # fmt: skip
        held.append((one, f"point{place}", shared))


def test_a_lock_that_interrupts_take_is_not_held_with_interrupts_on():
    dep, siglock = LockDep(), lock("siglock")
    take_in(dep, siglock, interrupt=True)
    take_in(dep, siglock)
    with pytest.raises(InvariantError, match="interrupts on, and siglock is needed in one"):
        take_in(dep, siglock, leaves_on=True)


def test_it_does_not_matter_which_of_the_two_is_seen_first():
    dep, queue = LockDep(), lock("wait_queue")
    take_in(dep, queue, leaves_on=True)
    with pytest.raises(InvariantError) as broken:
        take_in(dep, queue, interrupt=True)
    assert "takes wait_queue at point0 in an interrupt" in str(broken.value)
    assert "takes wait_queue at point0 with interrupts on" in str(broken.value)


def test_what_interrupts_take_is_known_before_one_comes():
    for name in IN_INTERRUPTS:
        dep, one = LockDep(), lock(name)
        take_in(dep, one)
        with pytest.raises(InvariantError, match=f"interrupts on, and {name} is needed in one"):
            take_in(dep, one, leaves_on=True)


def test_what_is_waited_for_with_an_interrupts_lock_held_is_not_held_with_interrupts_on():
    dep, pi, alloc = LockDep(), lock("pi_lock"), lock("alloc_lock")
    take_in(dep, pi, alloc)  # interrupts are off: of pi_lock
    take_in(dep, pi, interrupt=True)
    with pytest.raises(InvariantError, match="interrupts on, and alloc_lock is needed in one"):
        take_in(dep, alloc)


def test_interrupts_that_only_read_may_meet_readers_that_leave_them_on():
    dep, tasks = LockDep(), lock("tasklist_lock")
    take_in(dep, (tasks, True), interrupt=True)
    take_in(dep, (tasks, True))
    take_in(dep, tasks)  # write_lock_irq()
    with pytest.raises(InvariantError, match="interrupts on"):
        take_in(dep, tasks, leaves_on=True)


def test_an_interrupt_that_writes_what_readers_hold_with_interrupts_on_is_reported():
    dep, tasks = LockDep(), lock("tasklist_lock")
    take_in(dep, (tasks, True))
    with pytest.raises(InvariantError, match="interrupts on"):
        take_in(dep, tasks, interrupt=True)


def test_inside_a_lock_that_turned_interrupts_off_others_need_not_do_so():
    dep, pi, sig = LockDep(), lock("pi_lock"), lock("siglock")
    take_in(dep, sig, interrupt=True)
    held = []
    dep.acquire(held, pi, "outer", False, "somebody")
    held.append((pi, "outer", False))
    dep.acquire(held, sig, "inner", False, "somebody", leaves_on=True)
    assert "siglock" not in dep.irqs_on


def test_a_sleeping_lock_is_taken_neither_by_an_interrupt_nor_with_a_spinning_lock_held():
    dep, mmap, sig = LockDep(), lock("mmap_lock"), lock("siglock")
    take_in(dep, mmap, sig)
    with pytest.raises(InvariantError, match="sleeping lock in an interrupt"):
        take_in(dep, mmap, interrupt=True)
    with pytest.raises(InvariantError, match=r"sleeping lock while atomic: .* with siglock held"):
        take_in(dep, sig, mmap)
