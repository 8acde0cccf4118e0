"""The way into a system call and back: what happens in each state, and which ways there are."""

import pytest

from kernel import entry
from kernel import messages as m
from kernel.entry import (
    CALL,
    DEAD,
    ENTER,
    MOVES,
    REPLY,
    RESTART,
    SIGNALS,
    STATES,
    Call,
    move,
)
from kernel.errors import InvariantError, KernelError, RestartSyscall
from kernel.uapi import ptrace as p
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import ENOSYS
from kernel.uapi.signals import (
    SA_RESTART,
    SIG_HANDLER,
    SIGCONT,
    SIGKILL,
    SIGSEGV,
    SIGSTOP,
    SIGTRAP,
    SIGUSR1,
)
from kernel.uapi.wait import WNOHANG

SECOND = 1_000_000_000


@pytest.fixture
def visited(monkeypatch):
    """The states that calls go to, in order."""
    states = []

    class Noted(tuple):
        def __getitem__(self, way):
            states.append(way & 7)
            return super().__getitem__(way)

    # the table, and not move(), whose body stands in the place of its calls in the pure core
    monkeypatch.setattr(entry, "_LEGAL", Noted(entry._LEGAL))
    return states


def catch(machine, task, signal, flags=0):
    machine.call(task, nr.NR_RT_SIGACTION, signal, SIG_HANDLER | flags)


def kill(machine, target, signal):
    machine.call(machine.first, nr.NR_KILL, target.pid, signal)


def traced(machine):
    """Return a child of first that is traced, stands in a stop, and knows it."""
    child = machine.fork(machine.first)
    machine.call(machine.first, nr.NR_PTRACE, p.PTRACE_ATTACH, child.pid, 0, 0)
    assert machine.user_work(child) is machine.SLEEP
    machine.wait(machine.first, child.pid)
    return child


def goes_on(machine, child, request, data=0):
    machine.call(machine.first, nr.NR_PTRACE, request, child.pid, 0, data)


# -- the table ------------------------------------------------------------------------------------


def test_a_call_that_nothing_happens_to_goes_through_every_state_once(machine, visited):
    assert machine.call(machine.first, nr.NR_GETPPID) == 1
    assert visited == [CALL, SIGNALS, RESTART, REPLY]


def test_a_call_that_fails_goes_the_same_way(machine, visited):
    with pytest.raises(KernelError):
        machine.call(machine.first, nr.NR_CLOSE, 99)
    assert visited == [CALL, SIGNALS, RESTART, REPLY]


def test_every_state_can_be_reached_and_reply_and_death_are_the_ends():
    assert {to for _, to in MOVES} == set(range(len(STATES)))
    assert {at for at, _ in MOVES} == {ENTER, CALL, SIGNALS, RESTART}


@pytest.mark.parametrize("at", range(len(STATES)))
@pytest.mark.parametrize("to", range(len(STATES)))
def test_a_move_that_the_table_does_not_have_is_refused(machine, at, to):
    call = Call((nr.NR_GETPPID,))
    call.at = at
    if (at, to) in MOVES:
        move(machine.first, call, to)
        assert call.at == to
    else:
        with pytest.raises(InvariantError):
            move(machine.first, call, to)
        assert call.at == at


def test_a_refusal_tells_where_the_call_stands_and_what_is_known_of_it(machine):
    call = Call((nr.NR_READ, 3, 10))
    call.at, call.restart = SIGNALS, RestartSyscall
    with pytest.raises(InvariantError) as refused:
        move(machine.first, call, ENTER)
    story = str(refused.value)
    assert story.startswith(f"{machine.first!r}: its call read goes from SIGNALS to ENTER")
    assert "from there it goes to RESTART or REPLY or DEAD" in story
    assert "op (0, 3, 10)" in story and "interrupted (RestartSyscall)" in story
    assert "signals not pending, not traced" in story


def test_a_refusal_in_a_call_ends_the_run_with_the_story_of_the_task(machine, monkeypatch):
    legal = list(entry._LEGAL)
    legal[RESTART << 3 | REPLY] = False
    monkeypatch.setattr(entry, "_LEGAL", tuple(legal))
    with pytest.raises(InvariantError) as refused:
        machine.call(machine.first, nr.NR_GETPPID)
    assert "goes from RESTART to REPLY" in str(refused.value)
    assert f"story of {machine.first!r}" in str(refused.value)


# -- restarts -------------------------------------------------------------------------------------


def test_an_interrupted_wait_begins_again_after_a_handler_that_allows_it(machine, visited):
    child = machine.fork(machine.first)
    grandchild = machine.fork(child)
    catch(machine, child, SIGUSR1, SA_RESTART)
    assert machine.wait(child) == machine.SLEEP
    kill(machine, child, SIGUSR1)
    visited.clear()
    assert machine.resume(child) == machine.SLEEP
    assert visited == [SIGNALS, RESTART, ENTER, CALL]
    machine.exit(grandchild)
    assert machine.resume(child)[0] == grandchild.pid
    assert machine.handled == (SIGUSR1,)  # it ran before the wait went on
    assert machine.k.stats.restarts == 1


def test_after_a_handler_without_sa_restart_the_reply_is_eintr(machine, visited):
    child = machine.fork(machine.first)
    machine.fork(child)
    catch(machine, child, SIGUSR1)
    assert machine.wait(child) == machine.SLEEP
    kill(machine, child, SIGUSR1)
    visited.clear()
    assert machine.resume(child) == machine.EINTR
    assert visited == [SIGNALS, REPLY]


def test_a_sleep_that_a_stop_interrupts_goes_on_to_its_first_end(machine):
    """ERESTART_RESTARTBLOCK: no handler ran, and the time that has passed counts."""
    child = machine.fork(machine.first)
    assert machine.call(child, nr.NR_NANOSLEEP, SECOND) == machine.SLEEP
    begun_ns = machine.now_ns
    kill(machine, child, SIGSTOP)
    assert machine.resume(child) == machine.SLEEP  # in the stop
    machine.now_ns = begun_ns + SECOND // 2
    kill(machine, child, SIGCONT)
    assert machine.resume(child) == machine.SLEEP  # in the sleep, again
    machine.k.run(begun_ns + SECOND - 100_000)
    assert not child.on_rq
    machine.k.run(begun_ns + SECOND + 100_000)
    assert child.on_rq
    assert machine.resume(child) is None
    assert child.restart_ns == 0


# -- a tracer at the entry ------------------------------------------------------------------------


def test_a_tracer_sees_a_call_before_it_begins_and_again_at_its_end(machine):
    child = traced(machine)
    goes_on(machine, child, p.PTRACE_SYSCALL)
    machine.resume(child)
    assert machine.call(child, nr.NR_GETPPID) is machine.SLEEP
    assert child.tracing.regs[p.RAX] == -ENOSYS  # nothing has been done yet
    goes_on(machine, child, p.PTRACE_SYSCALL)
    assert machine.resume(child) is machine.SLEEP
    assert child.tracing.regs[p.RAX] == machine.first.pid
    goes_on(machine, child, p.PTRACE_CONT)
    assert machine.resume(child) == machine.first.pid


def test_a_call_whose_number_a_tracer_takes_away_is_not_carried_out(machine):
    child = traced(machine)
    goes_on(machine, child, p.PTRACE_SYSCALL)
    machine.resume(child)
    assert machine.call(child, nr.NR_FORK) is machine.SLEEP
    forks = machine.k.stats.forks
    child.tracing.regs[p.ORIG_RAX] = -1
    goes_on(machine, child, p.PTRACE_CONT)
    with pytest.raises(KernelError) as failed:
        machine.resume(child)
    assert failed.value.errno == ENOSYS
    assert machine.k.stats.forks == forks


def test_a_signal_that_a_tracer_gives_at_the_entry_is_handled_after_the_call(machine, visited):
    child = traced(machine)
    catch(machine, child, SIGUSR1)
    goes_on(machine, child, p.PTRACE_SYSCALL)
    machine.resume(child)
    assert machine.call(child, nr.NR_GETPPID) is machine.SLEEP
    visited.clear()
    goes_on(machine, child, p.PTRACE_CONT, SIGUSR1)
    visited.clear()
    assert machine.resume(child) is machine.SLEEP  # the tracer is asked about the signal
    goes_on(machine, child, p.PTRACE_CONT, SIGUSR1)
    assert machine.resume(child) == machine.first.pid
    assert machine.handled == (SIGUSR1,)


def test_the_trap_of_a_single_step_comes_before_the_call_begins(machine):
    child = traced(machine)
    catch(machine, child, SIGTRAP)
    goes_on(machine, child, p.PTRACE_SINGLESTEP)
    machine.resume(child)
    assert machine.call(child, nr.NR_FORK) is machine.SLEEP
    forks = machine.k.stats.forks
    goes_on(machine, child, p.PTRACE_CONT, SIGTRAP)
    assert machine.resume(child) == machine.NOT_BEGUN
    assert machine.k.stats.forks == forks


# -- ends -----------------------------------------------------------------------------------------


def test_exit_ends_within_its_call_and_gives_no_result(machine, visited):
    child = machine.fork(machine.first)
    visited.clear()
    assert machine.exit(child, 3) is machine.DEAD
    assert visited == [CALL, DEAD]
    assert [e[1] for e in machine.effects if e[2] == child.pid] == [m.EFF_DEAD]
    assert machine.wait(machine.first, child.pid)[1] == 3 << 8


def test_a_fatal_signal_in_a_sleep_ends_the_call_where_signals_are_dealt_with(machine, visited):
    child = machine.fork(machine.first)
    assert machine.call(child, nr.NR_PAUSE) is machine.SLEEP
    kill(machine, child, SIGKILL)
    visited.clear()
    assert machine.resume(child) is machine.DEAD
    assert visited == [SIGNALS, DEAD]


def test_an_access_that_faults_ends_with_the_signal_for_it(machine):
    child = machine.fork(machine.first)
    assert machine.call(child, nr.NR_LOAD, 0, 0, 1) is machine.DEAD
    assert machine.wait(machine.first, child.pid, WNOHANG)[1] & 0x7F == SIGSEGV


def test_a_handler_of_a_faults_signal_runs_instead_of_the_access(machine, visited):
    child = machine.fork(machine.first)
    catch(machine, child, SIGSEGV)
    visited.clear()
    assert machine.call(child, nr.NR_LOAD, 0, 0, 1) == machine.FAULTED
    assert machine.handled == (SIGSEGV,)
    assert visited == [CALL, SIGNALS, REPLY]


def test_a_number_without_a_call_is_a_bug_of_the_run_time(machine):
    with pytest.raises(InvariantError, match="no call has the number 6"):
        machine.call(machine.first, 6)
