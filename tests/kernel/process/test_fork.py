"""fork, vfork, clone, threads: what a child is, and when there is none."""

import pytest

from kernel.drive.forms import pass_point
from kernel.errors import GuestFault, TaskDead
from kernel.process.exit import do_exit
from kernel.task import PF_FORKNOEXEC
from kernel.uapi import clone as c
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EAGAIN, EINVAL
from kernel.uapi.rlimit import RLIMIT_NPROC
from kernel.uapi.signals import SIGCHLD, SIGKILL, SIGTERM


def test_child_has_the_next_pid_and_its_parents_group_and_session(machine):
    child = machine.fork(machine.first)
    assert child.pid == machine.first.pid + 1
    assert child.tgid == child.pid
    assert child.real_parent is machine.first
    assert child.signal.pgrp is machine.first.signal.pgrp
    assert child.signal.session is machine.first.signal.session
    assert child.exit_signal == SIGCHLD
    assert child.flags & PF_FORKNOEXEC


def test_children_stand_in_fork_order(machine):
    pids = [machine.fork(machine.first).pid for _ in range(4)]
    assert list(machine.first.children) == pids


def test_child_has_own_descriptors_and_directory_but_shared_files(machine):
    child = machine.fork(machine.first)
    assert child.files is not machine.first.files
    assert child.files.fd[1] is machine.first.files.fd[1]
    assert child.fs is not machine.first.fs


@pytest.mark.parametrize(
    "flags",
    [
        c.CLONE_THREAD | c.CLONE_VM,
        c.CLONE_SIGHAND,
        c.CLONE_NEWNS | c.CLONE_FS,
        c.CLONE_NEWUSER | c.CLONE_FS,
        c.CLONE_NEWIPC | c.CLONE_SYSVSEM,
        c.CLONE_PIDFD | c.CLONE_DETACHED,
        c.CLONE_THREAD | c.CLONE_SIGHAND | c.CLONE_VM | c.CLONE_NEWPID,
    ],
)
def test_flags_that_do_not_go_together_are_refused(machine, flags):
    assert machine.errno(machine.first, nr.NR_CLONE, flags | SIGCHLD) == EINVAL
    assert not machine.first.children


def test_memory_cannot_be_shared_on_one_stack(machine):
    with pytest.raises(GuestFault):
        machine.call(machine.first, nr.NR_CLONE, c.CLONE_VM | SIGCHLD, shared=True)


def test_clone_parent_makes_a_sibling_with_the_leaders_exit_signal(machine):
    child = machine.fork(machine.first)
    pid = machine.call(child, nr.NR_CLONE, c.CLONE_PARENT)
    sibling = machine.k.find_task(pid)
    assert sibling.real_parent is machine.first
    assert sibling.exit_signal == SIGCHLD
    assert list(machine.first.children) == [child.pid, pid]


def test_init_may_not_make_siblings(machine):
    machine.k.current = machine.k.child_reaper
    from kernel.errors import KernelError
    from kernel.process.fork import check_clone_flags

    with pytest.raises(KernelError):
        check_clone_flags(machine.k, c.CLONE_PARENT)


def test_vfork_parent_sleeps_until_the_child_execs(machine):
    parent = machine.first
    assert machine.call(parent, nr.NR_VFORK, shared=True) == machine.SLEEP
    child = machine.k.find_task(machine.k.pids.last)
    assert child.mm is parent.mm
    assert machine.call(child, nr.NR_EXECVE, "/bin/true", ("true",), None) == machine.EXEC
    assert child.mm is not parent.mm
    assert machine.resume(parent) == child.pid


def test_vfork_parent_wakes_before_the_child_is_a_zombie_or_its_files_are_closed(machine):
    parent = machine.first
    machine.call(parent, nr.NR_VFORK, shared=True)
    child = machine.k.find_task(machine.k.pids.last)
    k = machine.k
    k.current, k.cpu = child, child.cpu
    seen = []
    with pytest.raises(TaskDead):
        path = do_exit(k, 0)
        name, kind, obj = next(path)
        while True:
            if name == "exit_files.clear_files":
                seen.append((parent.state, child.exit_state))
            name, kind, obj = path.send(pass_point(k, kind, obj))
    assert seen == [(0, 0)]


def test_vfork_parent_can_be_killed_and_the_child_goes_on(machine):
    other = machine.fork(machine.first)
    parent = machine.fork(machine.first)
    machine.call(parent, nr.NR_VFORK, shared=True)
    child = machine.k.find_task(machine.k.pids.last)
    machine.call(other, nr.NR_KILL, parent.pid, SIGTERM)
    assert machine.resume(parent) == machine.DEAD
    assert child.vfork_done is None
    assert child.real_parent is machine.k.child_reaper
    assert machine.call(child, nr.NR_EXECVE, "/bin/true", ("true",), None) == machine.EXEC


def test_vfork_parent_of_2_6_34_cannot_be_killed_while_it_waits(make):
    machine = make(linux="2.6.34")
    other = machine.fork(machine.first)
    parent = machine.fork(machine.first)
    machine.call(parent, nr.NR_VFORK, shared=True)
    machine.call(other, nr.NR_KILL, parent.pid, SIGKILL)
    assert not parent.on_rq


def test_thread_shares_everything_and_is_nobodys_child(machine):
    leader = machine.first
    thread = machine.thread(leader)
    assert thread.tgid == leader.pid
    assert thread.mm is leader.mm and thread.files is leader.files
    assert thread.sighand is leader.sighand and thread.signal is leader.signal
    assert thread.exit_signal == -1
    assert thread.real_parent is leader.real_parent
    assert not leader.children
    assert leader.signal.threads == [leader, thread]


def test_child_of_a_thread_has_that_thread_as_parent(machine):
    thread = machine.thread(machine.first)
    child = machine.fork(thread)
    assert child.real_parent is thread
    assert machine.call(child, nr.NR_GETPPID) == machine.first.pid


def test_max_threads_binds_root_too_and_a_failed_fork_leaves_nothing(make):
    machine = make(threads_max=20)
    while machine.k.tasks.nr_threads < 20:
        machine.fork(machine.first)
    before = machine.k.pids.taken, machine.k.slabs["task_struct"].active_objs
    used = machine.k.frames.used if hasattr(machine.k.frames, "used") else None
    assert machine.errno(machine.first, nr.NR_FORK) == EAGAIN
    assert (machine.k.pids.taken, machine.k.slabs["task_struct"].active_objs) == before
    assert used is None or machine.k.frames.used == used


def test_nproc_counts_threads_and_zombies_of_a_user(make):
    machine = make(uid=1000, gid=1000)
    task = machine.first
    task.signal.rlim = {RLIMIT_NPROC: (2, 2)}
    child = machine.fork(task)
    assert machine.errno(task, nr.NR_FORK) == EAGAIN
    assert machine.errno(task, nr.NR_THREAD_START, 0, "x", False, shared=True) == EAGAIN
    machine.exit(child)
    assert machine.errno(task, nr.NR_FORK) == EAGAIN
    machine.wait(task)
    machine.fork(task)


def test_root_is_exempt_from_nproc(machine):
    machine.first.signal.rlim = {RLIMIT_NPROC: (1, 1)}
    child = machine.fork(machine.first)
    assert child.pid in machine.first.children


def test_out_of_pids_is_eagain_and_unwinds(make):
    machine = make(pid_max=301)
    while machine.k.pids.taken < 300:
        machine.fork(machine.first)
    slab = machine.k.slabs["task_struct"].active_objs
    assert machine.errno(machine.first, nr.NR_FORK) == EAGAIN
    assert machine.k.slabs["task_struct"].active_objs == slab
    assert len(machine.first.children) == 297
