"""Exit: stages, status, orphans, thread groups, autoreap."""

import pytest

from kernel.task import EXIT_ZOMBIE
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import ECHILD
from kernel.uapi.signals import SIG_IGN, SIGCHLD, SIGKILL, SIGSTOP, SIGTERM
from kernel.uapi.wait import WALL, WNOHANG


def test_status_is_the_low_byte_of_the_code(machine):
    child = machine.fork(machine.first)
    assert machine.exit(child, 300) == machine.DEAD
    assert machine.wait(machine.first)[:2] == (child_pid := machine.k.pids.last, 44 << 8)
    assert not machine.exists(child_pid)


def test_zombie_keeps_its_pid_and_nothing_else(machine):
    child = machine.fork(machine.first)
    machine.exit(child)
    assert machine.exists(child.pid)
    assert child.exit_state == EXIT_ZOMBIE
    assert child.mm is None and child.files is None and child.fs is None


def test_children_of_a_dead_process_go_to_init_and_grandchildren_stay(machine):
    parent = machine.fork(machine.first)
    child = machine.fork(parent)
    grandchild = machine.fork(child)
    machine.exit(parent)
    assert child.real_parent is machine.k.child_reaper
    assert grandchild.real_parent is child


def test_children_of_a_dead_thread_go_to_its_sibling(machine):
    thread = machine.thread(machine.first)
    child = machine.fork(thread)
    machine.call(thread, nr.NR_EXIT, 0)
    assert child.real_parent is machine.first
    machine.exit(child, 5)
    assert machine.wait(machine.first)[1] == 5 << 8


def test_orphans_go_to_the_nearest_subreaper(machine):
    machine.first.signal.is_child_subreaper = True
    parent = machine.fork(machine.first)
    child = machine.fork(parent)
    assert child.signal.has_child_subreaper
    machine.exit(parent)
    assert child.real_parent is machine.first


def test_2_6_34_knows_no_subreapers(make):
    machine = make(linux="2.6.34")
    machine.first.signal.is_child_subreaper = True
    parent = machine.fork(machine.first)
    child = machine.fork(parent)
    machine.exit(parent)
    assert child.real_parent is machine.k.child_reaper


def test_init_reaps_an_orphaned_zombie(machine):
    parent = machine.fork(machine.first)
    child = machine.fork(parent)
    machine.exit(child)
    machine.exit(parent)
    init = machine.k.child_reaper
    machine.resume(init)
    assert not machine.exists(child.pid)
    assert machine.exists(parent.pid)


def test_orphan_reports_sigchld_whatever_it_was_made_with(machine):
    parent = machine.fork(machine.first)
    child = machine.k.find_task(machine.call(parent, nr.NR_CLONE, 0))
    assert child.exit_signal == 0
    machine.exit(parent)
    assert child.exit_signal == SIGCHLD


def test_leader_stays_unwaitable_until_last_thread_is_released(machine):
    leader = machine.fork(machine.first)
    thread = machine.thread(leader)
    machine.call(leader, nr.NR_EXIT, 7)
    assert leader.exit_state == EXIT_ZOMBIE
    assert machine.wait(machine.first, leader.pid, WNOHANG) == (0, 0, 0, 0)
    assert machine.call(machine.first, nr.NR_KILL, leader.pid, 0) is None
    pid = leader.pid
    machine.call(thread, nr.NR_EXIT, 9)
    assert machine.wait(machine.first, pid)[:2] == (pid, 9 << 8)


def test_in_2_6_34_an_early_leaders_code_is_the_processes(make):
    machine = make(linux="2.6.34")
    leader = machine.fork(machine.first)
    thread = machine.thread(leader)
    machine.call(leader, nr.NR_EXIT, 7)
    machine.call(thread, nr.NR_EXIT, 9)
    assert machine.wait(machine.first)[1] == 7 << 8


def test_exit_group_of_any_thread_ends_all_with_its_code(machine):
    leader = machine.fork(machine.first)
    threads = [machine.thread(leader) for _ in range(3)]
    machine.exit(threads[1], 5)
    for task in (threads[2], leader, threads[0]):
        assert machine.user_work(task) == machine.DEAD
    assert machine.wait(machine.first)[1] == 5 << 8
    assert not machine.exists(threads[0].pid)


def test_threads_are_reaped_at_once_and_silently(machine):
    thread = machine.thread(machine.first)
    machine.call(thread, nr.NR_EXIT, 0)
    assert not machine.exists(thread.pid)
    assert machine.errno(machine.first, nr.NR_WAIT4, -1, WALL) == ECHILD


def test_ignored_sigchld_reaps_at_once_and_wakes_the_waiter_with_echild(machine):
    parent = machine.first
    parent.sighand.action = {SIGCHLD: SIG_IGN}
    child = machine.fork(parent)
    assert machine.wait(parent) == machine.SLEEP
    machine.exit(child)
    assert not machine.exists(child.pid)
    with pytest.raises(Exception, match=str(ECHILD)):
        machine.resume(parent)


def test_zombie_older_than_the_ignoring_stays(machine):
    child = machine.fork(machine.first)
    pid = child.pid
    machine.exit(child)
    machine.first.sighand.action = {SIGCHLD: SIG_IGN}
    assert machine.wait(machine.first)[0] == pid


def test_stopped_orphans_are_hung_up_and_continued(machine):
    shell = machine.fork(machine.first)
    job = machine.fork(shell)
    machine.call(job, nr.NR_SETPGID, 0, 0)
    machine.call(shell, nr.NR_KILL, job.pid, SIGSTOP)
    assert machine.user_work(job) == machine.SLEEP
    machine.exit(shell)
    assert job.on_rq
    assert machine.resume(job) == machine.DEAD
    assert job.exit_code == 1


def test_a_dead_tasks_structure_goes_when_the_cpu_has_left_it(machine):
    slab = machine.k.slabs["task_struct"]
    before = slab.active_objs
    child = machine.fork(machine.first)
    machine.exit(child)
    machine.wait(machine.first)
    machine.call(machine.first, nr.NR_GETPID)
    assert slab.active_objs == before


def test_pdeath_signal_is_sent_when_the_creating_thread_ends(machine):
    thread = machine.thread(machine.first)
    child = machine.fork(thread)
    child.pdeath_signal = SIGTERM
    machine.call(thread, nr.NR_EXIT, 0)
    assert machine.user_work(child) == machine.DEAD
    assert child.exit_code == SIGTERM


def test_killing_init_is_not_possible(machine):
    assert machine.call(machine.first, nr.NR_KILL, 1, SIGKILL) is None
    assert not machine.k.child_reaper.sigpending
