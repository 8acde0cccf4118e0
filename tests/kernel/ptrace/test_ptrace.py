"""ptrace: links, lists and states that a guest program cannot see."""

import pytest

from kernel import messages as m
from kernel.check.invariants import check_kernel
from kernel.task import (
    EXIT_TRACE,
    EXIT_ZOMBIE,
    JOBCTL_PTRACE_FROZEN,
    JOBCTL_TRACED,
    JOBCTL_TRAPPING,
    TASK_TRACED,
)
from kernel.uapi import ptrace as p
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EINVAL, EIO, EPERM, ESRCH
from kernel.uapi.signals import SIGCONT, SIGKILL, SIGSTOP, SIGUSR1
from kernel.uapi.wait import WALL, WNOHANG, WUNTRACED


def ptrace(machine, tracer, request, pid, addr=0, data=0):
    return machine.call(tracer, nr.NR_PTRACE, request, pid, addr, data)


def traced(machine, request=p.PTRACE_ATTACH, data=0):
    """Return a child of first that stands in its first stop."""
    first = machine.first
    child = machine.fork(first)
    ptrace(machine, first, request, child.pid, 0, data)
    if request == p.PTRACE_SEIZE:
        ptrace(machine, first, p.PTRACE_INTERRUPT, child.pid)
    assert machine.user_work(child) is machine.SLEEP
    machine.wait(first, child.pid)
    return child


def test_a_task_that_nobody_traces_has_no_state_for_it(machine):
    child = traced(machine)
    first = machine.first
    assert first.tracing.ptraced == [child]
    assert child.tracing is not None
    ptrace(machine, first, p.PTRACE_DETACH, child.pid)
    assert (child.ptrace, child.tracing, first.tracing) == (0, None, None)
    assert child.parent is child.real_parent is first


def test_a_stop_is_a_state_a_flag_and_a_code(machine):
    child = traced(machine)
    assert child.state == TASK_TRACED
    assert child.jobctl & JOBCTL_TRACED
    assert child.tracing.last_siginfo[0] == SIGSTOP
    ptrace(machine, machine.first, p.PTRACE_CONT, child.pid)
    assert not child.jobctl & (JOBCTL_TRACED | JOBCTL_PTRACE_FROZEN)
    machine.resume(child)
    assert child.tracing.last_siginfo is None


def test_the_newest_tracee_comes_first(machine):
    one, two = traced(machine), traced(machine)
    assert machine.first.tracing.ptraced == [two, one]


def test_the_tracer_is_the_parent_and_getppid_does_not_show_it(machine):
    first = machine.first
    child = machine.fork(first)
    tracer = machine.fork(first)
    ptrace(machine, tracer, p.PTRACE_SEIZE, child.pid)
    assert child.parent is tracer
    assert child.real_parent is first
    assert machine.call(child, nr.NR_GETPPID) == first.pid
    machine.exit(first)
    assert child.parent is tracer
    assert child.real_parent is machine.k.child_reaper


def test_a_zombie_goes_from_its_tracer_to_its_parent(machine):
    first = machine.first
    child = machine.fork(first)
    tracer = machine.fork(first)
    ptrace(machine, tracer, p.PTRACE_SEIZE, child.pid)
    machine.exit(child, 3)
    assert machine.wait(first, child.pid, WNOHANG)[0] == 0
    assert machine.wait(tracer, child.pid)[:2] == (child.pid, 3 << 8)
    assert child.exit_state == EXIT_ZOMBIE != EXIT_TRACE
    assert not child.ptrace
    assert machine.wait(first, child.pid)[:2] == (child.pid, 3 << 8)
    assert not machine.exists(child.pid)


def test_a_zombie_that_its_dying_tracer_leaves_is_announced_to_its_parent(machine):
    first = machine.first
    child = machine.fork(first)
    tracer = machine.fork(first)
    ptrace(machine, tracer, p.PTRACE_SEIZE, child.pid)
    machine.exit(child, 3)
    assert machine.wait(first, child.pid) is machine.SLEEP
    machine.exit(tracer)
    assert machine.resume(first)[:2] == (child.pid, 3 << 8)


def test_a_traced_thread_stays_a_zombie_until_its_tracer_has_seen_it(machine):
    first = machine.first
    child = machine.fork(first)
    thread = machine.thread(child)
    ptrace(machine, first, p.PTRACE_SEIZE, thread.pid)
    tid = thread.pid
    machine.call(thread, nr.NR_EXIT, 4)
    assert thread.exit_state == EXIT_ZOMBIE
    assert machine.wait(first, tid)[:2] == (tid, 4 << 8)
    assert not machine.exists(tid)
    assert machine.exists(child.pid)


def test_a_traced_thread_is_freed_when_its_tracer_dies(machine):
    first = machine.first
    child = machine.fork(first)
    thread = machine.thread(child)
    tracer = machine.fork(first)
    ptrace(machine, tracer, p.PTRACE_SEIZE, thread.pid)
    tid = thread.pid
    machine.call(thread, nr.NR_EXIT, 0)
    assert machine.exists(tid)
    machine.exit(tracer)
    assert not machine.exists(tid)


def test_attaching_to_a_stopped_task_waits_until_it_is_traced(machine):
    first = machine.first
    child = machine.fork(first)
    machine.call(child, nr.NR_KILL, child.pid, SIGSTOP)
    machine.wait(first, child.pid, WUNTRACED)
    assert ptrace(machine, first, p.PTRACE_SEIZE, child.pid) is machine.SLEEP
    assert child.jobctl & JOBCTL_TRAPPING
    assert machine.resume(child) is machine.SLEEP
    assert child.state == TASK_TRACED
    assert not child.jobctl & JOBCTL_TRAPPING
    assert machine.resume(first) == 0
    status = machine.wait(first, child.pid, WNOHANG)[1]
    assert status == p.PTRACE_EVENT_STOP << 16 | SIGSTOP << 8 | 0x7F


def test_a_tracer_killed_while_it_waits_for_that_lets_the_task_go(machine):
    first = machine.first
    child = machine.fork(first)
    machine.call(child, nr.NR_KILL, child.pid, SIGSTOP)
    tracer = machine.fork(first)
    assert ptrace(machine, tracer, p.PTRACE_SEIZE, child.pid) is machine.SLEEP
    machine.call(first, nr.NR_KILL, tracer.pid, SIGKILL)
    assert machine.resume(tracer) is machine.DEAD
    assert not child.ptrace
    assert machine.resume(child) is machine.SLEEP  # in its group's stop again
    machine.call(first, nr.NR_KILL, child.pid, SIGCONT)
    assert machine.resume(child) is None


def test_attaching_waits_for_an_exec_that_kills_other_threads(machine):
    first = machine.first
    child = machine.fork(first)
    thread = machine.thread(child)
    assert machine.call(child, nr.NR_EXECVE, "/bin/true", ("true",), None) is machine.SLEEP
    assert ptrace(machine, first, p.PTRACE_SEIZE, child.pid) is machine.SLEEP
    assert not child.ptrace
    machine.user_work(thread)
    assert machine.resume(child) is machine.EXEC
    assert machine.resume(first) == 0
    assert child.ptrace


@pytest.mark.parametrize(
    ("request_", "addr", "data", "errno"),
    [
        (p.PTRACE_CONT, 0, 65, EIO),
        (p.PTRACE_DETACH, 0, -1, EIO),
        (p.PTRACE_SETOPTIONS, 0, 1 << 7, EINVAL),
        (p.PTRACE_INTERRUPT, 0, 0, EIO),
        (p.PTRACE_LISTEN, 0, 0, EIO),
        (p.PTRACE_PEEKDATA, 0, 0, EIO),
        (p.PTRACE_PEEKUSER, 4, 0, EIO),
        (p.PTRACE_POKEUSER, 8 * p.RBX, 1, EIO),
        (p.PTRACE_GETSIGINFO, 5, 0, EIO),
        (p.PTRACE_ATTACH, 0, 0, EPERM),
        (12, 0, 0, EIO),
    ],
)
def test_a_request_that_fails_leaves_the_tracee_where_it_is(machine, request_, addr, data, errno):
    child = traced(machine)
    first = machine.first
    assert machine.errno(first, nr.NR_PTRACE, request_, child.pid, addr, data) == errno
    assert child.state == TASK_TRACED
    assert not child.jobctl & JOBCTL_PTRACE_FROZEN
    assert child.ptrace == p.PT_PTRACED


def test_only_the_tracing_thread_may_command(machine):
    child = traced(machine)
    first = machine.first
    other = machine.thread(first)
    assert machine.errno(other, nr.NR_PTRACE, p.PTRACE_CONT, child.pid, 0, 0) == ESRCH
    assert machine.errno(child.real_parent, nr.NR_PTRACE, p.PTRACE_CONT, other.pid, 0, 0) == ESRCH


def test_sigkill_wakes_a_tracee_from_its_stop(machine):
    child = traced(machine)
    machine.call(machine.first, nr.NR_KILL, child.pid, SIGKILL)
    assert not child.jobctl & JOBCTL_TRACED
    assert machine.resume(child) is machine.DEAD
    assert machine.wait(machine.first, child.pid)[1] == SIGKILL


def test_the_cpu_is_told_to_bring_every_call_only_while_calls_are_watched(machine):
    child = traced(machine)
    first = machine.first
    ptrace(machine, first, p.PTRACE_SYSCALL, child.pid)
    assert [e[3] for e in machine.effects if e[1] == m.EFF_TRACED] == [True]
    machine.resume(child)
    assert machine.call(child, nr.NR_GETPID) is machine.SLEEP
    machine.wait(first, child.pid)
    ptrace(machine, first, p.PTRACE_CONT, child.pid)
    assert [e[3] for e in machine.effects if e[1] == m.EFF_TRACED] == [False]
    assert machine.resume(child) == child.pid


def test_a_child_of_a_tracee_has_its_tracer_and_its_options(machine):
    child = traced(machine, p.PTRACE_SEIZE, p.PTRACE_O_TRACEFORK | p.PTRACE_O_EXITKILL)
    first = machine.first
    ptrace(machine, first, p.PTRACE_CONT, child.pid)
    machine.resume(child)
    assert machine.call(child, nr.NR_FORK) is machine.SLEEP
    new = machine.k.find_task(machine.k.pids.last)
    assert (new.parent, new.real_parent, new.ptrace) == (first, child, child.ptrace)
    assert ptrace(machine, first, p.PTRACE_GETEVENTMSG, child.pid) == new.pid
    machine.exit(first)
    assert machine.resume(child) is machine.DEAD
    assert machine.user_work(new) is machine.DEAD


def test_clone_untraced_is_no_event(machine):
    child = traced(machine, p.PTRACE_SEIZE, p.PTRACE_O_TRACEFORK)
    ptrace(machine, machine.first, p.PTRACE_CONT, child.pid)
    machine.resume(child)
    pid = machine.call(child, nr.NR_CLONE, 0x800000 | 17)
    assert not machine.k.find_task(pid).ptrace


def test_wall_and_the_options_of_wait_do_not_matter_to_a_tracer(machine):
    first = machine.first
    child = machine.fork(first)
    pid = machine.call(child, nr.NR_CLONE, 0)
    ptrace(machine, first, p.PTRACE_ATTACH, pid)
    machine.user_work(machine.k.find_task(pid))
    assert machine.wait(first, pid, WNOHANG)[1] == SIGSTOP << 8 | 0x7F
    assert machine.errno(child, nr.NR_WAIT4, -1, WNOHANG) == 10
    assert machine.wait(child, -1, WNOHANG | WALL)[0] == 0


def test_a_link_that_one_side_does_not_know_is_found(machine):
    child = traced(machine)
    first = machine.first
    first.tracing.ptraced.remove(child)
    assert any("does not list it" in line for line in check_kernel(machine.k))
    first.tracing.ptraced.append(child)
    child.ptrace = 0
    assert any("lists the tracee" in line for line in check_kernel(machine.k))
    child.ptrace = p.PT_PTRACED
    assert check_kernel(machine.k) == []


def test_a_tracee_keeps_its_own_signals_while_it_stands_in_a_stop(machine):
    child = traced(machine)
    first = machine.first
    machine.call(first, nr.NR_KILL, child.pid, SIGUSR1)
    assert child.state == TASK_TRACED
    assert machine.wait(first, child.pid, WNOHANG)[0] == 0
    ptrace(machine, first, p.PTRACE_CONT, child.pid)
    assert machine.resume(child) is machine.SLEEP
    assert machine.wait(first, child.pid)[1] == SIGUSR1 << 8 | 0x7F
