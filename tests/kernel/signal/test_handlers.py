"""Handlers, masks, restart classes, waiting for signals, interval timers."""

import pytest

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EAGAIN, EINVAL
from kernel.uapi.signals import (
    SA_RESTART,
    SIG_BLOCK,
    SIG_DFL,
    SIG_HANDLER,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGALRM,
    SIGCHLD,
    SIGHUP,
    SIGKILL,
    SIGSTOP,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    sigmask,
)

SECOND = 1_000_000_000


def catch(machine, task, *signals, flags=0):
    for signal in signals:
        machine.call(task, nr.NR_RT_SIGACTION, signal, SIG_HANDLER | flags)


def block(machine, task, *signals):
    return machine.call(task, nr.NR_RT_SIGPROCMASK, SIG_BLOCK, sigmask(*signals))


def kill(machine, task, target, *signals):
    for signal in signals:
        machine.call(task, nr.NR_KILL, target.pid, signal)


def test_sigaction_returns_the_old_disposition_and_refuses_kill_and_stop(machine):
    first = machine.first
    assert machine.call(first, nr.NR_RT_SIGACTION, SIGTERM, SIG_IGN) == SIG_DFL
    assert machine.call(first, nr.NR_RT_SIGACTION, SIGTERM, SIG_HANDLER | SA_RESTART) == SIG_IGN
    assert machine.call(first, nr.NR_RT_SIGACTION, SIGTERM, None) == SIG_HANDLER | SA_RESTART
    for signal in (SIGKILL, SIGSTOP, 0, 65):
        assert machine.errno(first, nr.NR_RT_SIGACTION, signal, SIG_IGN) == EINVAL
    assert machine.call(first, nr.NR_RT_SIGACTION, SIGKILL, None) == SIG_DFL


def test_frames_are_stacked_so_the_last_signal_taken_runs_first(machine):
    first = machine.first
    signals = (SIGHUP, SIGUSR1, SIGUSR2, 34, 34)
    catch(machine, first, *signals)
    block(machine, first, *signals)
    kill(machine, first, first, *signals)
    machine.call(first, nr.NR_RT_SIGPROCMASK, SIG_UNBLOCK, sigmask(*signals))
    assert machine.handled == (34, 34, SIGUSR2, SIGUSR1, SIGHUP)


@pytest.mark.parametrize("flags", [0, SA_RESTART])
def test_a_sleep_is_interrupted_whatever_the_flags_and_says_when_it_was_to_end(machine, flags):
    first = machine.first
    child = machine.fork(first)
    catch(machine, child, SIGUSR1, flags=flags)
    assert machine.call(child, nr.NR_NANOSLEEP, SECOND) == machine.SLEEP
    begun_ns = machine.now_ns
    kill(machine, first, child, SIGUSR1)
    assert machine.resume(child) == machine.EINTR
    assert machine.handled == (SIGUSR1,)
    assert begun_ns + SECOND <= machine.until_ns < begun_ns + SECOND + 100_000


def test_a_wait_is_restarted_if_the_handler_says_so(machine):
    first = machine.first
    child = machine.fork(first)
    grandchild = machine.fork(child)
    catch(machine, child, SIGUSR1, flags=SA_RESTART)
    catch(machine, child, SIGUSR2)
    assert machine.wait(child) == machine.SLEEP
    kill(machine, first, child, SIGUSR1)
    assert machine.resume(child) == machine.SLEEP
    kill(machine, first, child, SIGUSR2)
    assert machine.resume(child) == machine.EINTR
    assert machine.handled == (SIGUSR1, SIGUSR2)  # the first one's frame was left long ago
    assert machine.wait(child) == machine.SLEEP
    machine.exit(grandchild)
    assert machine.resume(child)[0] == grandchild.pid


def test_ignored_signals_interrupt_nothing(machine):
    first = machine.first
    child = machine.fork(first)
    machine.call(child, nr.NR_RT_SIGACTION, SIGUSR1, SIG_IGN)
    assert machine.call(child, nr.NR_PAUSE) == machine.SLEEP
    kill(machine, first, child, SIGUSR1, SIGCHLD)
    assert not child.on_rq


def test_a_signal_in_user_mode_comes_before_the_next_call(machine):
    first = machine.first
    child = machine.fork(first)
    catch(machine, child, SIGUSR1)
    kill(machine, first, child, SIGUSR1)
    assert machine.user_work(child) == machine.NOT_BEGUN
    assert machine.handled == (SIGUSR1,)


def test_exec_forgets_handlers_that_have_just_run(machine):
    first = machine.first
    catch(machine, first, SIGUSR1)
    first.tripped = (SIGUSR1,)
    assert machine.call(first, nr.NR_EXECVE, "/bin/true", ("true",), None) == machine.EXEC
    assert first.tripped == () and first.sighand.action == {}


def test_mask_leaves_out_kill_and_stop_and_refuses_other_ways(machine):
    first = machine.first
    assert block(machine, first, SIGKILL, SIGSTOP, SIGHUP) == 0
    assert machine.call(first, nr.NR_RT_SIGPROCMASK, SIG_BLOCK, None) == sigmask(SIGHUP)
    assert machine.errno(first, nr.NR_RT_SIGPROCMASK, 3, 0) == EINVAL
    assert machine.call(first, nr.NR_RT_SIGPROCMASK, SIG_SETMASK, 0) == sigmask(SIGHUP)


def test_setting_to_ignored_drops_what_is_pending_in_every_thread(machine):
    first = machine.first
    block(machine, first, SIGUSR1)
    thread = machine.thread(first)
    kill(machine, first, first, SIGUSR1)
    machine.call(first, nr.NR_TGKILL, first.pid, thread.pid, SIGUSR1)
    assert first.signal.shared_pending and thread.pending
    machine.call(first, nr.NR_RT_SIGACTION, SIGUSR1, SIG_IGN)
    assert not first.signal.shared_pending and not thread.pending


def test_who_blocks_a_signal_hands_it_to_a_thread_that_does_not(machine):
    first = machine.first
    thread = machine.thread(first)
    catch(machine, first, SIGUSR1)
    block(machine, thread, SIGUSR1)
    block(machine, first, SIGUSR1)
    kill(machine, first, first, SIGUSR1)
    assert machine.call(thread, nr.NR_PAUSE) == machine.SLEEP
    assert machine.call(first, nr.NR_RT_SIGPENDING) == sigmask(SIGUSR1)
    assert not thread.on_rq


def test_sigtimedwait_takes_times_out_and_is_interrupted(machine):
    first = machine.first
    child = machine.fork(first)
    wanted = sigmask(SIGUSR1)
    block(machine, child, SIGUSR1)
    catch(machine, child, SIGUSR2)
    assert machine.errno(child, nr.NR_RT_SIGTIMEDWAIT, wanted, 0) == EAGAIN
    assert machine.call(child, nr.NR_RT_SIGTIMEDWAIT, wanted, -1) == machine.SLEEP
    kill(machine, first, child, SIGUSR2)
    assert machine.resume(child) == machine.EINTR
    assert child.blocked == wanted and not child.real_blocked
    assert machine.call(child, nr.NR_RT_SIGTIMEDWAIT, wanted, -1) == machine.SLEEP
    kill(machine, first, child, SIGUSR1)
    assert machine.resume(child)[:3] == (SIGUSR1, 0, first.pid)
    assert child.blocked == wanted


def test_waiting_for_a_fatal_signal_is_not_fatal(machine):
    first = machine.first
    child = machine.fork(first)
    block(machine, child, SIGTERM)
    assert machine.call(child, nr.NR_SIGWAIT, sigmask(SIGTERM)) == machine.SLEEP
    kill(machine, first, child, SIGTERM)
    assert machine.resume(child) == SIGTERM


def test_alarm_says_what_was_left_and_an_interval_restarts_when_its_signal_is_taken(machine):
    first = machine.first
    catch(machine, first, SIGALRM)
    block(machine, first, SIGALRM)
    assert machine.call(first, nr.NR_ALARM, 10) == 0
    assert machine.call(first, nr.NR_ALARM, 0) == 10
    machine.call(first, nr.NR_SETITIMER, 0, 1_000_000, 1_000_000)
    machine.k.run(machine.now_ns + 5_500_000)
    assert len(first.signal.shared_pending) == 1
    assert machine.call(first, nr.NR_GETITIMER, 0) == (0, 1_000_000)
    timer = first.signal.itimer
    expired_ns = timer.expires_ns
    assert machine.call(first, nr.NR_RT_SIGTIMEDWAIT, sigmask(SIGALRM), 0)[0] == SIGALRM
    assert timer.expires_ns > expired_ns
    assert (timer.expires_ns - expired_ns) % 1_000_000 == 0
    assert len(first.signal.shared_pending) == 1  # it has expired again by now
