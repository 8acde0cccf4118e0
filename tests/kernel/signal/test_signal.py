"""kill and its targets, default actions, stop and continue."""

import pytest

from kernel.task import TASK_STOPPED
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EINVAL, EPERM, ESRCH
from kernel.uapi.rlimit import RLIM_INFINITY, RLIMIT_CORE
from kernel.uapi.signals import (
    SIG_IGN,
    SIGCHLD,
    SIGCONT,
    SIGHUP,
    SIGKILL,
    SIGSEGV,
    SIGSTOP,
    SIGTERM,
    SIGTSTP,
    SIGURG,
    SIGWINCH,
)


def kill(machine, task, pid, sig):
    return machine.call(task, nr.NR_KILL, pid, sig)


@pytest.mark.parametrize(
    ("pid", "sig", "errno"),
    [(999, 0, ESRCH), (999, 65, ESRCH), (-999, 9, ESRCH), (-(1 << 31), 9, ESRCH), (3, 65, EINVAL),
     (0, 65, EINVAL), (3, -1, EINVAL)],
)  # fmt: skip
def test_kill_errors(machine, pid, sig, errno):
    assert machine.errno(machine.first, nr.NR_KILL, pid, sig) == errno


def test_tgkill_errors(machine):
    first = machine.first
    child = machine.fork(first)
    assert machine.errno(first, nr.NR_TGKILL, 0, 1, 9) == EINVAL
    assert machine.errno(first, nr.NR_TGKILL, first.pid, child.pid, 9) == ESRCH
    assert machine.errno(first, nr.NR_TGKILL, child.pid, child.pid, 65) == EINVAL
    assert machine.call(first, nr.NR_TGKILL, child.pid, child.pid, 0) is None


def test_a_signal_kills_with_its_number(machine):
    child = machine.fork(machine.first)
    kill(machine, machine.first, child.pid, SIGTERM)
    assert machine.user_work(child) == machine.DEAD
    assert machine.wait(machine.first)[1] == SIGTERM


def test_core_flag_needs_a_core_limit(machine):
    for limit, status in ((0, SIGSEGV), (RLIM_INFINITY, SIGSEGV | 0x80)):
        child = machine.fork(machine.first)
        child.signal.rlim = {RLIMIT_CORE: (limit, RLIM_INFINITY)}
        kill(machine, machine.first, child.pid, SIGSEGV)
        machine.user_work(child)
        assert machine.wait(machine.first)[1] == status


@pytest.mark.parametrize("sig", [SIGCHLD, SIGCONT, SIGWINCH, SIGURG])
def test_some_signals_do_nothing_by_default_and_are_not_queued(machine, sig):
    child = machine.fork(machine.first)
    kill(machine, machine.first, child.pid, sig)
    assert not child.sigpending and not child.signal.shared_pending


def test_a_sleeper_wakes_to_die_and_an_ignored_signal_does_not_wake_it(machine):
    child = machine.fork(machine.first)
    assert machine.call(child, nr.NR_PAUSE) == machine.SLEEP
    kill(machine, machine.first, child.pid, SIGWINCH)
    assert not child.on_rq
    kill(machine, machine.first, child.pid, SIGHUP)
    assert machine.resume(child) == machine.DEAD


def test_zombies_accept_signals_and_released_ones_are_gone(machine):
    child = machine.fork(machine.first)
    pid = child.pid
    machine.exit(child)
    assert kill(machine, machine.first, pid, SIGTERM) is None
    assert machine.wait(machine.first)[1] == 0
    assert machine.errno(machine.first, nr.NR_KILL, pid, 0) == ESRCH


def test_group_kill_reaches_members_only(machine):
    first = machine.first
    inside, outside = machine.fork(first), machine.fork(first)
    machine.call(inside, nr.NR_SETPGID, 0, 0)
    other = machine.fork(inside)
    kill(machine, first, -inside.pid, SIGTERM)
    assert inside.sigpending and other.sigpending and not outside.sigpending


def test_kill_everyone_spares_init_and_the_callers_process(machine):
    first = machine.first
    child = machine.fork(first)
    thread = machine.thread(first)
    kill(machine, first, -1, SIGTERM)
    assert child.sigpending
    assert not machine.k.child_reaper.sigpending
    assert not first.sigpending and not thread.sigpending


def test_unprivileged_senders_reach_their_own_and_sigcont_their_session(machine):
    first = machine.first
    mine, theirs = machine.fork(first), machine.fork(first)
    machine.call(mine, nr.NR_SETUID, 1000)
    machine.call(theirs, nr.NR_SETUID, 1001)
    assert machine.errno(mine, nr.NR_KILL, theirs.pid, SIGTERM) == EPERM
    assert machine.errno(mine, nr.NR_KILL, theirs.pid, 0) == EPERM
    assert kill(machine, mine, theirs.pid, SIGCONT) is None
    machine.call(theirs, nr.NR_SETSID)
    assert machine.errno(mine, nr.NR_KILL, theirs.pid, SIGCONT) == EPERM


def test_init_cannot_be_killed(machine):
    for sig in (SIGKILL, SIGSTOP, SIGTERM):
        assert kill(machine, machine.first, 1, sig) is None
    assert not machine.k.child_reaper.sigpending


def test_a_stopped_process_keeps_other_signals_pending_but_dies_of_sigkill(machine):
    child = machine.fork(machine.first)
    kill(machine, machine.first, child.pid, SIGSTOP)
    assert machine.user_work(child) == machine.SLEEP
    assert child.state == TASK_STOPPED
    kill(machine, machine.first, child.pid, SIGHUP)
    assert not child.on_rq
    kill(machine, machine.first, child.pid, SIGKILL)
    assert machine.resume(child) == machine.DEAD
    assert machine.wait(machine.first)[1] == SIGKILL


def test_stop_and_cont_cancel_each_other_while_pending(machine):
    child = machine.fork(machine.first)
    kill(machine, machine.first, child.pid, SIGSTOP)
    kill(machine, machine.first, child.pid, SIGCONT)
    assert not child.signal.shared_pending
    assert machine.user_work(child) is None
    assert child.on_rq


def test_sigcont_resumes_even_if_it_is_ignored(machine):
    child = machine.fork(machine.first)
    child.sighand.action = {SIGCONT: SIG_IGN}
    kill(machine, machine.first, child.pid, SIGSTOP)
    machine.user_work(child)
    kill(machine, machine.first, child.pid, SIGCONT)
    assert child.on_rq


def test_every_thread_stops_and_the_parent_hears_once(machine):
    first = machine.first
    leader = machine.fork(first)
    thread = machine.thread(leader)
    kill(machine, first, leader.pid, SIGSTOP)
    assert machine.wait(first, -1, 2) == machine.SLEEP
    assert machine.user_work(leader) == machine.SLEEP
    assert not first.on_rq
    assert machine.user_work(thread) == machine.SLEEP
    assert machine.resume(first)[:2] == (leader.pid, 0x137F)


def test_terminal_stop_does_nothing_in_an_orphaned_group(machine):
    first = machine.first  # its group has no member with a parent elsewhere in the session
    child = machine.fork(first)
    kill(machine, first, child.pid, SIGTSTP)
    assert machine.user_work(child) is None
    machine.call(child, nr.NR_SETPGID, 0, 0)
    kill(machine, first, child.pid, SIGTSTP)
    assert machine.user_work(child) == machine.SLEEP


def test_fork_is_begun_again_when_a_stop_came_first(machine):
    first = machine.first
    child = machine.fork(first)
    machine.call(child, nr.NR_SETPGID, 0, 0)
    kill(machine, first, child.pid, SIGSTOP)
    assert machine.call(child, nr.NR_FORK) == machine.SLEEP
    kill(machine, first, child.pid, SIGCONT)
    pid = machine.resume(child)
    assert list(child.children) == [pid]


def test_sleep_goes_on_to_its_first_deadline_after_a_stop(machine):
    child = machine.fork(machine.first)
    assert machine.call(child, nr.NR_NANOSLEEP, 50_000_000) == machine.SLEEP
    deadline = machine.k.timers.next_ns()
    kill(machine, machine.first, child.pid, SIGSTOP)
    assert machine.resume(child) == machine.SLEEP
    kill(machine, machine.first, child.pid, SIGCONT)
    assert machine.resume(child) == machine.SLEEP
    assert deadline in [timer[0] for timer in machine.k.timers.heap]
