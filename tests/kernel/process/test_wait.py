"""wait4 and waitid: who matches, what is reported, who wins."""

import pytest

from kernel.errors import KernelError
from kernel.uapi import syscalls as nr
from kernel.uapi import wait as w
from kernel.uapi.errno_ import ECHILD, EINVAL, ESRCH
from kernel.uapi.signals import SIGCHLD, SIGCONT, SIGKILL, SIGSTOP


@pytest.mark.parametrize(
    ("pid", "options", "errno"),
    [(-1, 0, ECHILD), (-1, 0x100, EINVAL), (-1, w.WEXITED, EINVAL), (-(1 << 31), 0, ESRCH),
     (1, 0, ECHILD), (-77, 0, ECHILD), (0, w.WNOHANG, ECHILD)],
)  # fmt: skip
def test_wait4_errors(machine, pid, options, errno):
    assert machine.errno(machine.first, nr.NR_WAIT4, pid, options) == errno


@pytest.mark.parametrize(
    ("idtype", "number", "options"),
    [(w.P_PID, 0, w.WEXITED), (w.P_ALL, 0, 0), (9, 0, w.WEXITED), (w.P_PGID, -1, w.WEXITED),
     (w.P_ALL, 0, w.WNOHANG), (w.P_ALL, 0, w.WEXITED | 0x100)],
)  # fmt: skip
def test_waitid_einval(machine, idtype, number, options):
    machine.fork(machine.first)
    assert machine.errno(machine.first, nr.NR_WAITID, idtype, number, options) == EINVAL


def test_order_is_fork_order_not_death_order(machine):
    children = [machine.fork(machine.first) for _ in range(3)]
    pids = [child.pid for child in children]
    for child in reversed(children):
        machine.exit(child)
    assert [machine.wait(machine.first)[0] for _ in range(3)] == pids


def test_selectors(machine):
    first = machine.first
    own, other = machine.fork(first), machine.fork(first)
    machine.call(other, nr.NR_SETPGID, 0, 0)
    pids = own.pid, other.pid
    machine.exit(other)
    assert machine.wait(first, 0, w.WNOHANG)[0] == 0
    assert machine.wait(first, pids[0], w.WNOHANG)[0] == 0
    assert machine.wait(first, -pids[1])[0] == pids[1]
    machine.exit(own)
    assert machine.wait(first, 0)[0] == pids[0]


def test_grandchildren_do_not_count(machine):
    child = machine.fork(machine.first)
    grandchild = machine.fork(child)
    assert machine.errno(machine.first, nr.NR_WAIT4, grandchild.pid, 0) == ECHILD


def test_sleeping_waiter_is_woken_only_by_what_it_waits_for(machine):
    one, two = machine.fork(machine.first), machine.fork(machine.first)
    pids = one.pid, two.pid
    assert machine.wait(machine.first, pids[1]) == machine.SLEEP
    machine.exit(one)
    assert not machine.first.on_rq
    machine.exit(two)
    assert machine.resume(machine.first)[0] == pids[1]


def test_any_thread_may_wait_but_not_with_wnothread(machine):
    thread = machine.thread(machine.first)
    child = machine.fork(machine.first)
    machine.exit(child)
    assert machine.errno(thread, nr.NR_WAIT4, -1, w.WNOTHREAD) == ECHILD
    assert machine.wait(thread)[0] == machine.k.pids.last


def test_one_of_two_waiting_threads_gets_the_zombie_the_other_echild(machine):
    thread = machine.thread(machine.first)
    child = machine.fork(machine.first)
    pid = child.pid
    assert machine.wait(machine.first) == machine.SLEEP
    assert machine.wait(thread) == machine.SLEEP
    machine.exit(child)
    assert machine.resume(machine.first)[0] == pid
    with pytest.raises(KernelError) as failed:
        machine.resume(thread)
    assert failed.value.errno == ECHILD


def test_clone_children_need_wclone_or_wall(machine):
    for options in (w.WCLONE, w.WALL):
        pid = machine.call(machine.first, nr.NR_CLONE, 0)
        machine.exit(machine.k.find_task(pid))
        assert machine.errno(machine.first, nr.NR_WAIT4, -1, 0) == ECHILD
        assert machine.wait(machine.first, -1, options)[0] == pid
    child = machine.fork(machine.first)
    assert machine.errno(machine.first, nr.NR_WAIT4, child.pid, w.WCLONE) == ECHILD


def test_wnowait_leaves_the_zombie(machine):
    child = machine.fork(machine.first)
    pid = child.pid
    machine.exit(child, 5)
    look = (w.P_PID, pid, w.WEXITED | w.WNOWAIT)
    for _ in range(2):
        got = machine.call(machine.first, nr.NR_WAITID, *look)
        assert got == (pid, 0, SIGCHLD, 5, w.CLD_EXITED)
    assert machine.wait(machine.first)[0] == pid


def test_waitid_tells_how_a_child_was_killed(machine):
    child = machine.fork(machine.first)
    pid = child.pid
    machine.call(machine.first, nr.NR_KILL, pid, SIGKILL)
    machine.user_work(child)
    got = machine.call(machine.first, nr.NR_WAITID, w.P_ALL, 0, w.WEXITED)
    assert got == (pid, 0, SIGCHLD, SIGKILL, w.CLD_KILLED)


def test_a_zombie_does_not_count_for_who_wants_no_exits(machine):
    machine.exit(machine.fork(machine.first))
    options = w.WCONTINUED | w.WNOHANG
    assert machine.errno(machine.first, nr.NR_WAITID, w.P_ALL, 0, options) == ECHILD


def test_stop_and_continue_are_each_reported_once(machine):
    first = machine.first
    child = machine.fork(first)
    machine.call(first, nr.NR_KILL, child.pid, SIGSTOP)
    assert machine.user_work(child) == machine.SLEEP
    assert machine.wait(first, -1, w.WNOHANG)[0] == 0
    assert machine.wait(first, -1, w.WUNTRACED)[:2] == (child.pid, 0x137F)
    assert machine.wait(first, -1, w.WUNTRACED | w.WNOHANG)[0] == 0
    machine.call(first, nr.NR_KILL, child.pid, SIGCONT)
    assert machine.resume(child) is None
    assert machine.wait(first, -1, w.WCONTINUED)[:2] == (child.pid, 0xFFFF)
    assert machine.wait(first, -1, w.WCONTINUED | w.WNOHANG)[0] == 0


def test_waitid_reports_stop_and_continue(machine):
    first = machine.first
    child = machine.fork(first)
    machine.call(first, nr.NR_KILL, child.pid, SIGSTOP)
    machine.user_work(child)
    got = machine.call(first, nr.NR_WAITID, w.P_ALL, 0, w.WSTOPPED)
    assert got == (child.pid, 0, SIGCHLD, SIGSTOP, w.CLD_STOPPED)
    machine.call(first, nr.NR_KILL, child.pid, SIGCONT)
    machine.resume(child)
    got = machine.call(first, nr.NR_WAITID, w.P_ALL, 0, w.WCONTINUED)
    assert got == (child.pid, 0, SIGCHLD, SIGCONT, w.CLD_CONTINUED)


def test_continue_wipes_an_unreported_stop(machine):
    first = machine.first
    child = machine.fork(first)
    machine.call(first, nr.NR_KILL, child.pid, SIGSTOP)
    machine.user_work(child)
    machine.call(first, nr.NR_KILL, child.pid, SIGCONT)
    machine.resume(child)
    assert machine.wait(first, -1, w.WUNTRACED | w.WNOHANG)[0] == 0


def test_times_of_waited_for_children_add_up(machine):
    child = machine.fork(machine.first)
    grandchild = machine.fork(child)
    grandchild.utime_ns = 70
    machine.exit(grandchild)
    machine.wait(child)
    child.utime_ns = 500
    machine.exit(child)
    assert machine.wait(machine.first)[2] == 570
    assert machine.call(machine.first, nr.NR_TIMES)[2] == 570
