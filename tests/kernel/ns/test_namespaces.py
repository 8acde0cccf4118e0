"""Namespaces, clone3 and unshare where a guest program cannot look: limits, counts, numbers."""

import pytest

from kernel.check.at_rest import boot_counts
from kernel.check.invariants import check_kernel
from kernel.drive.forms import next_point, pass_point, run_through
from kernel.ns.pid_namespace import MAX_PID_NS_LEVEL
from kernel.ns.user_namespace import parse_id_map
from kernel.process.fork import do_fork
from kernel.process.pid import pid_nr_ns, task_active_pid_ns
from kernel.signal.kill import kill_pgrp
from kernel.uapi import clone as c
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EAGAIN, EEXIST, EINVAL, ENOMEM, ENOSPC
from kernel.uapi.signals import SI_USER, SIG_HANDLER, SIGCHLD, SIGKILL, SIGSTOP, SIGUSR1


def container(machine, task):
    """Let ``task`` make an init of a new pid namespace below its own."""
    machine.call(task, nr.NR_CLONE, c.CLONE_NEWPID | SIGCHLD)
    return newest_child(task)


def newest_child(task):
    return list(task.children.values())[-1]


def clone3(machine, task, flags=0, set_tid=()):
    return machine.call(task, nr.NR_CLONE3, flags, SIGCHLD, set_tid, False, 0, 0)


def test_pid_namespaces_nest_32_deep_and_no_deeper(machine):
    task = machine.first
    for level in range(1, MAX_PID_NS_LEVEL + 1):
        task = container(machine, task)
        assert task_active_pid_ns(machine.k, task).level == level
        assert len(task.thread_pid.numbers) == level + 1
    assert machine.errno(task, nr.NR_CLONE, c.CLONE_NEWPID | SIGCHLD) == ENOSPC
    child = machine.k.find_task(machine.k.pids.last)
    assert machine.call(task, nr.NR_GETPID) == 1
    assert check_kernel(machine.k) == []
    assert child is task


def test_a_task_has_a_number_at_every_level_and_none_beside(machine):
    left, right = container(machine, machine.first), container(machine, machine.first)
    inner = container(machine, left)
    ns = [task_active_pid_ns(machine.k, task) for task in (machine.first, left, right, inner)]
    assert [pid_nr_ns(inner.thread_pid, space) for space in ns] == [inner.pid, 2, 0, 1]
    assert [pid_nr_ns(left.thread_pid, space) for space in ns] == [left.pid, 1, 0, 0]
    assert machine.call(left, nr.NR_FORK) == 3
    assert machine.call(right, nr.NR_FORK) == 2


def test_a_failed_choice_of_numbers_leaves_none_taken(machine):
    init = container(machine, machine.first)
    k = machine.k
    before = boot_counts(k)
    inside = task_active_pid_ns(k, init).pids
    taken, last = inside.taken, k.pids.last
    with pytest.raises(Exception, match=str(EEXIST)):
        clone3(machine, init, set_tid=(50, 1))
    with pytest.raises(Exception, match=str(EINVAL)):
        clone3(machine, init, set_tid=(50, 900, 3))
    with pytest.raises(Exception, match=str(EINVAL)):
        clone3(machine, init, flags=c.CLONE_NEWPID, set_tid=(2, 50))
    assert (inside.taken, k.pids.last, boot_counts(k)) == (taken, last, before)
    assert clone3(machine, init, set_tid=(50, 900)) == 50
    assert newest_child(init).pid == 900


def test_chosen_numbers_do_not_move_the_next_one(machine):
    assert clone3(machine, machine.first, set_tid=(999,)) == 999
    assert machine.fork(machine.first).pid < 999


def test_a_namespace_grows_its_room_for_numbers(machine):
    init = container(machine, machine.first)
    pids = task_active_pid_ns(machine.k, init).pids
    room = len(pids.used)
    pids.last = room - 2
    assert machine.call(init, nr.NR_FORK) == room - 1
    assert machine.call(init, nr.NR_FORK) == room
    assert len(pids.used) > room


def test_death_of_an_init_ends_births_and_gives_every_number_back(machine):
    machine.call(machine.first, nr.NR_UNSHARE, c.CLONE_NEWPID)
    init = machine.fork(machine.first)
    machine.call(init, nr.NR_FORK)
    child = newest_child(init)
    ns = task_active_pid_ns(machine.k, init)
    assert machine.exit(init) is machine.SLEEP
    assert not ns.adding
    assert ns.child_reaper is init
    assert machine.errno(machine.first, nr.NR_FORK) == ENOMEM
    assert machine.user_work(child) is machine.DEAD
    assert machine.resume(init) is machine.DEAD
    machine.wait(machine.first)
    assert (ns.pid_allocated, ns.pids.taken, ns.child_reaper) == (0, 0, None)
    assert ns.count == 1  # of the one whose children would be born there


def test_kill_and_stop_reach_an_init_only_from_above(machine):
    init = container(machine, machine.first)
    for sig in (SIGKILL, SIGSTOP):
        machine.call(init, nr.NR_KILL, 1, sig)
        assert not init.sigpending
    machine.call(machine.first, nr.NR_KILL, init.pid, SIGKILL)
    assert machine.user_work(init) is machine.DEAD


def test_unshared_namespaces_go_with_their_last_task(machine):
    k = machine.k
    machine.call(machine.first, nr.NR_UNSHARE, c.CLONE_NEWUTS | c.CLONE_NEWIPC | c.CLONE_NEWNS)
    child = machine.fork(machine.first)
    assert child.nsproxy is machine.first.nsproxy
    assert child.nsproxy.count == 2
    machine.call(child, nr.NR_UNSHARE, c.CLONE_NEWUTS)
    assert k.ns_counts[c.CLONE_NEWUTS] == 2
    machine.exit(child)
    assert k.ns_counts[c.CLONE_NEWUTS] == 1
    assert child.nsproxy is None


def test_nobody_new_may_share_the_directory_of_a_process_in_exec(machine):
    machine.thread(machine.first)
    machine.first.fs.in_exec = True
    assert machine.errno(machine.first, nr.NR_CLONE, c.CLONE_FS | SIGCHLD) == EAGAIN
    assert machine.fork(machine.first)


def test_a_signal_to_the_group_reaches_the_child_being_forked(make):
    machine = make()
    k, first = machine.k, machine.first
    first.sighand.action = {SIGUSR1: SIG_HANDLER}
    other = machine.fork(first)
    k.current, k.cpu = first, first.cpu
    fork = do_fork(k, SIGCHLD)
    point = next_point(fork, None)
    while point[0] != "copy_process.nr_threads":
        point = next_point(fork, pass_point(k, point[1], point[2]))
    k.current = other
    run_through(k, kill_pgrp(k, SIGUSR1, (SIGUSR1, SI_USER, other.tgid, 0, 0), first.signal.pgrp))
    k.current = first
    run_through(k, fork)
    child = newest_child(first)
    assert child.signal.shared_pending == ((SIGUSR1, SI_USER, 0, 0, 0),)
    assert child.sigpending
    assert not first.signal.multiprocess


@pytest.mark.parametrize(
    ("text", "extents"),
    [
        ("0 0 1", ((0, 0, 1),)),
        ("0 1000 1\n1 100000 65536\n", ((0, 1000, 1), (1, 100000, 65536))),
        ("  5\t6  7 ", ((5, 6, 7),)),
        ("", None),
        ("0 0", None),
        ("0 0 0", None),
        ("0 0 x", None),
        ("0 0 -1", None),
        ("0 0 5\n4 100 1", None),
        ("0 0 5\n10 4 1", None),
        ("4294967295 0 1", None),
    ],
)
def test_maps_of_ids_are_read_as_linux_reads_them(text, extents):
    if extents is None:
        with pytest.raises(Exception, match=str(EINVAL)):
            parse_id_map(text)
    else:
        assert parse_id_map(text) == extents
