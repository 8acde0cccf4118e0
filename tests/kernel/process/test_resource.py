"""Limits and usage: what a guest program cannot show, or the host's root may not do."""

import pytest

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EAGAIN, EINVAL, EPERM, ESRCH
from kernel.uapi.resource import RUSAGE_CHILDREN, RUSAGE_SELF
from kernel.uapi.rlimit import (
    RLIM_INFINITY,
    RLIMIT_CPU,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RSS,
    RLIMIT_SIGPENDING,
)
from kernel.uapi.signals import SIGRTMIN

SECOND_NS = 1_000_000_000


def limit(machine, task, which, value=None, pid=0):
    return machine.call(task, nr.NR_PRLIMIT64, pid, which, value)


def test_root_raises_a_hard_limit_and_a_user_does_not(machine):
    first = machine.first
    limit(machine, first, RLIMIT_RSS, (1, 2))
    assert limit(machine, first, RLIMIT_RSS, (5, 9)) == (1, 2)
    assert limit(machine, first, RLIMIT_RSS) == (5, 9)
    machine.call(first, nr.NR_SETUID, 1000)
    assert machine.errno(first, nr.NR_PRLIMIT64, 0, RLIMIT_RSS, (5, 10)) == EPERM
    assert machine.errno(first, nr.NR_PRLIMIT64, 0, RLIMIT_RSS, (10, 9)) == EINVAL


def test_not_even_root_raises_nofile_above_nr_open(machine):
    first = machine.first
    assert machine.errno(first, nr.NR_PRLIMIT64, 0, RLIMIT_NOFILE, (9, (1 << 20) + 1)) == EPERM
    limit(machine, first, RLIMIT_NOFILE, (9, 1 << 20))


def test_the_order_of_errors(machine):
    first = machine.first
    assert machine.errno(first, nr.NR_PRLIMIT64, 4000, 99, None) == ESRCH
    assert machine.errno(first, nr.NR_PRLIMIT64, 0, 99, None) == EINVAL
    machine.call(first, nr.NR_SETUID, 1000)
    assert machine.errno(first, nr.NR_PRLIMIT64, 1, 99, None) == EPERM


def test_a_childs_limits_are_its_own_from_the_first_change_on(machine):
    first = machine.first
    limit(machine, first, RLIMIT_RSS, (3, 4))
    child = machine.fork(first)
    assert child.signal.rlim is first.signal.rlim
    limit(machine, child, RLIMIT_RSS, (1, 4))
    assert limit(machine, first, RLIMIT_RSS) == (3, 4)
    assert limit(machine, first, RLIMIT_RSS, None, child.pid) == (1, 4)


def test_nproc_of_a_user_bounds_fork_and_is_moved_by_setuid(machine):
    first = machine.first
    child = machine.fork(first)
    limit(machine, child, RLIMIT_NPROC, (1, 1))
    machine.call(child, nr.NR_SETUID, 1000)
    users = machine.k.tasks.users
    assert users[1000].processes == 1
    assert machine.errno(child, nr.NR_FORK) == EAGAIN
    machine.exit(child)
    assert users[1000].processes == 1, "a zombie counts"
    machine.wait(first)
    assert users[1000].processes == 0


def test_children_count_when_they_are_waited_for(machine):
    first = machine.first
    child = machine.fork(first)
    child.utime_ns, child.nivcsw = 70, 3
    machine.exit(child)
    before = machine.call(first, nr.NR_GETRUSAGE, RUSAGE_CHILDREN)
    assert before == (0,) * 16
    pid, status, usage = machine.call(first, nr.NR_WAIT4, -1, 0, True)
    assert (pid, status, usage[0], usage[-1]) == (child.pid, 0, 70, 3)
    after = machine.call(first, nr.NR_GETRUSAGE, RUSAGE_CHILDREN)
    assert (after[0], after[-1], after[2]) == (70, 3, usage[2])
    assert usage[2] > 0, "maxrss"
    assert machine.call(first, nr.NR_GETRUSAGE, RUSAGE_SELF)[0] == 0


def test_what_a_process_spends_in_exit_is_its_system_time(machine):
    first = machine.first
    child = machine.fork(first)
    began_ns = machine.k.now_ns
    machine.exit(child)
    _, _, usage = machine.call(first, nr.NR_WAIT4, -1, 0, True)
    assert 0 < usage[1] <= machine.k.now_ns - began_ns
    assert machine.call(first, nr.NR_GETRUSAGE, RUSAGE_CHILDREN)[1] == usage[1]


def test_queued_signals_of_all_processes_of_a_user_count_together(machine):
    first = machine.first
    children = [machine.fork(first) for _ in range(2)]
    for child in children:
        machine.call(child, nr.NR_RT_SIGPROCMASK, 0, 1 << (SIGRTMIN - 1))
        limit(machine, child, RLIMIT_SIGPENDING, (3, 3))
    for child in children:
        machine.call(first, nr.NR_KILL, child.pid, SIGRTMIN)
        machine.call(first, nr.NR_KILL, child.pid, SIGRTMIN)
    queued = [len(child.signal.shared_pending) for child in children]
    assert queued == [2, 1]
    tgid = children[0].pid
    assert machine.errno(first, nr.NR_TGKILL, tgid, tgid, SIGRTMIN) == EAGAIN


@pytest.mark.parametrize(("soft", "killed"), [(1, True), (2, False)])
def test_the_limit_of_cpu_time_is_looked_at_when_a_tick_comes_in(machine, soft, killed):
    first = machine.first
    child = machine.fork(first)
    limit(machine, child, RLIMIT_CPU, (soft, RLIM_INFINITY))
    child.utime_ns = SECOND_NS
    assert (machine.user_work(child) == machine.DEAD) is killed
    if not killed:
        limit(machine, child, RLIMIT_CPU, (soft, soft))
        child.stime_ns = SECOND_NS
        assert machine.user_work(child) == machine.DEAD
