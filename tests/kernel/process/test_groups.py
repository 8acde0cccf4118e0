"""Process groups and sessions."""

import pytest

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EACCES, EINVAL, EPERM, ESRCH


def setpgid(machine, task, pid, pgid):
    return machine.call(task, nr.NR_SETPGID, pid, pgid)


def test_errors_in_linuxs_order(machine):
    first = machine.first
    child = machine.fork(first)
    thread = machine.thread(child)
    grandchild = machine.fork(child)
    fails = machine.errno
    assert fails(first, nr.NR_SETPGID, 999, -1) == EINVAL
    assert fails(first, nr.NR_SETPGID, 999, 0) == ESRCH
    assert fails(first, nr.NR_SETPGID, thread.pid, 0) == EINVAL
    assert fails(first, nr.NR_SETPGID, grandchild.pid, 0) == ESRCH
    assert fails(first, nr.NR_SETPGID, 0, 0) == EPERM  # a session leader
    assert fails(first, nr.NR_SETPGID, child.pid, 999) == EPERM
    assert fails(child, nr.NR_SETPGID, 0, 2) == EPERM


def test_a_child_in_another_session_or_after_exec_is_out_of_reach(machine):
    first = machine.first
    away, changed = machine.fork(first), machine.fork(first)
    machine.call(away, nr.NR_SETSID)
    machine.call(changed, nr.NR_EXECVE, "/bin/true", ("true",), None)
    assert machine.errno(first, nr.NR_SETPGID, away.pid, 0) == EPERM
    assert machine.errno(first, nr.NR_SETPGID, changed.pid, 0) == EACCES


def test_new_group_and_back(machine):
    first = machine.first
    child = machine.fork(first)
    assert setpgid(machine, first, child.pid, 0) is None
    assert machine.call(first, nr.NR_GETPGID, child.pid) == child.pid
    assert setpgid(machine, child, 0, first.pid) is None
    assert machine.call(child, nr.NR_GETPGRP) == first.pid


def test_it_works_on_a_zombie_child(machine):
    child = machine.fork(machine.first)
    machine.exit(child)
    assert setpgid(machine, machine.first, child.pid, 0) is None


def test_setsid_makes_session_and_group_and_only_once(machine):
    child = machine.fork(machine.first)
    assert machine.call(child, nr.NR_SETSID) == child.pid
    assert machine.call(child, nr.NR_GETSID, 0) == child.pid
    assert machine.call(child, nr.NR_GETPGRP) == child.pid
    assert machine.errno(child, nr.NR_SETSID) == EPERM


def test_group_leader_cannot_make_a_session(machine):
    child = machine.fork(machine.first)
    setpgid(machine, child, 0, 0)
    assert machine.errno(child, nr.NR_SETSID) == EPERM


def test_a_number_stays_reserved_while_a_group_uses_it(machine):
    child = machine.fork(machine.first)
    pid = child.pid
    setpgid(machine, child, 0, 0)
    member = machine.fork(child)
    machine.exit(child)
    machine.wait(machine.first)
    assert machine.errno(machine.first, nr.NR_KILL, pid, 0) == ESRCH
    assert machine.call(machine.first, nr.NR_KILL, -pid, 0) is None
    assert machine.k.pids.used[pid]
    machine.exit(member)
    machine.resume(machine.k.child_reaper)
    assert not machine.k.pids.used[pid]


@pytest.mark.parametrize("number", [nr.NR_GETPGID, nr.NR_GETSID])
def test_unknown_pid(machine, number):
    assert machine.errno(machine.first, number, 999) == ESRCH
