"""Identity and nice values."""

import pytest

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EACCES, EINVAL, EPERM, ESRCH


def ids(machine, task):
    return machine.call(task, nr.NR_GETRESUID)


def test_privileged_setuid_sets_all_three_for_good(machine):
    first = machine.first
    machine.call(first, nr.NR_SETUID, 1000)
    assert ids(machine, first) == (1000, 1000, 1000)
    assert machine.errno(first, nr.NR_SETUID, 0) == EPERM
    assert machine.errno(first, nr.NR_SETUID, -1) == EINVAL
    assert machine.call(first, nr.NR_SETUID, 1000) is None


def test_saved_uid_gives_the_way_back(machine):
    first = machine.first
    machine.call(first, nr.NR_SETRESUID, -1, 1000, 0)
    assert ids(machine, first) == (0, 1000, 0)
    assert machine.errno(first, nr.NR_SETRESUID, 5, -1, -1) == EPERM
    machine.call(first, nr.NR_SETUID, 0)
    assert ids(machine, first) == (0, 0, 0)


@pytest.mark.parametrize(
    ("ruid", "euid", "expected"),
    [(-1, 7, (0, 7, 7)), (7, -1, (7, 0, 0)), (-1, 0, (0, 0, 0)), (7, 8, (7, 8, 8))],
)
def test_setreuid_moves_the_saved_uid(machine, ruid, euid, expected):
    machine.call(machine.first, nr.NR_SETREUID, ruid, euid)
    assert ids(machine, machine.first) == expected


def test_a_change_does_not_reach_the_parent_but_all_threads(machine):
    child = machine.fork(machine.first)
    thread = machine.thread(child)
    machine.call(thread, nr.NR_SETUID, 1000)
    assert child.cred.uid == 1000
    assert machine.first.cred.uid == 0


def test_charges_move_with_the_user(machine):
    users = machine.k.tasks.users
    child = machine.fork(machine.first)
    before = users[0].processes
    machine.call(child, nr.NR_SETUID, 1000)
    assert (users[0].processes, users[1000].processes) == (before - 1, 1)
    machine.exit(child)
    machine.wait(machine.first)
    assert users[1000].processes == 0


def test_nice_is_clamped_and_lowering_needs_privilege(machine):
    child = machine.fork(machine.first)
    assert machine.call(child, nr.NR_NICE, -100) == -20
    assert machine.call(child, nr.NR_NICE, 25) == 5
    machine.call(child, nr.NR_SETUID, 1000)
    assert machine.errno(child, nr.NR_NICE, -1) == EPERM
    assert machine.errno(child, nr.NR_SETPRIORITY, 0, 0, 0) == EACCES
    assert machine.errno(child, nr.NR_SETPRIORITY, 0, 1, 0) == EPERM
    assert machine.call(child, nr.NR_SETPRIORITY, 0, 0, 99) is None
    assert machine.call(child, nr.NR_GETPRIORITY, 0, 0) == 19


def test_priority_selectors(machine):
    first = machine.first
    child = machine.fork(first)
    assert machine.errno(first, nr.NR_GETPRIORITY, 3, 0) == EINVAL
    assert machine.errno(first, nr.NR_GETPRIORITY, 0, 999) == ESRCH
    machine.call(first, nr.NR_SETPRIORITY, 1, 0, 7)
    assert (first.nice, child.nice) == (7, 7)
    machine.call(first, nr.NR_SETPRIORITY, 0, child.pid, 3)
    assert machine.call(first, nr.NR_GETPRIORITY, 1, 0) == 3
    assert machine.call(first, nr.NR_GETPRIORITY, 2, 0) == 0  # init's
