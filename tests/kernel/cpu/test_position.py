"""Where a CPU stands: the table of moves, and what is refused."""

import pytest

from kernel import messages as m
from kernel.cpu.cpu import Cpu
from kernel.cpu.position import (
    ABOUT_A_TASK,
    ASK,
    ASKED,
    GONE,
    HALTED,
    IDLE,
    IN_KERNEL,
    MOVE_TO,
    MOVES,
    NAMES,
    REFUSED,
    USER,
)
from kernel.errors import InvariantError
from kernel.machine import MachineSpec
from kernel.task import TASK_INTERRUPTIBLE
from kernel.uapi import syscalls as nr

FAR = 10**12
ANSWERS = {  # what the kernel sends when a request is done with
    m.EFF_RETURN,
    m.EFF_ERROR,
    m.EFF_NEXT,
    m.EFF_TAKE,
    m.EFF_EXEC,
    m.EFF_SLEEP,
    m.EFF_DEAD,
    m.EFF_USER,
    m.EFF_HANDLE,
    m.EFF_RESCHED,
}


class Asks:
    """A context that makes the same system call for ever."""

    steps = 1

    def resume(self, value, error):
        return (nr.NR_GETPPID,)


class Loader:
    def start(self, image, argv, env, start=0):
        return Asks()


@pytest.fixture
def asked():
    """A CPU whose one task, 10, waits for an answer; and when it asked."""
    cpu = Cpu(1, MachineSpec(cpus=2), Loader())
    cpu.step(FAR, [(0, m.EFF_SPAWN, 10, 10, "prog", 0, "prog", ("prog",), (), 0)])
    assert cpu.rq.curr.at == ASKED
    return cpu, cpu.out[-1][m.R_TIME]


def test_the_numbered_table_says_what_the_table_of_moves_says():
    for at in range(len(NAMES)):
        for event in range(32):
            assert MOVE_TO[at << 5 | event] == MOVES.get((at, event), REFUSED)


def test_every_answer_ends_the_wait_and_nothing_else_does():
    for code in m.EFFECTS:
        to = MOVES.get((ASKED, code), ASKED)
        assert (to != ASKED) == (code in ANSWERS)


def test_nobody_comes_back_from_where_nothing_comes_after():
    assert not [event for at, event in MOVES if at in (GONE, IDLE)]
    assert {to for (at, _), to in MOVES.items() if at == HALTED} == {HALTED}


def test_every_effect_is_about_a_task_here_or_brings_one_or_is_about_the_queue():
    others = {code for code in m.EFFECTS if not ABOUT_A_TASK[code]}
    brings = {m.ARRIVE, m.EFF_SPAWN, m.EFF_KTHREAD}
    assert others == brings | {
        m.EFF_PULL,
        m.EFF_BALANCE,
        m.EFF_MOVED_ACK,
        m.EFF_SIBLING,
        m.EFF_TOLD,
    }


def test_an_answer_that_nobody_waits_for_is_refused_with_the_story(asked):
    cpu, at_ns = asked
    cpu.step(FAR, [(at_ns, m.EFF_SLEEP, 10, TASK_INTERRUPTIBLE)])
    with pytest.raises(InvariantError) as refused:
        cpu.step(FAR, [(at_ns + 9_000, m.EFF_RETURN, 10, 3)])
    story = str(refused.value)
    assert story.startswith(
        f"cpu 1 at {at_ns + 9_000} ns: <cputask 10/10 prog> is in the kernel and gets return, "
        "which is for one that is waiting for an answer; current is <cputask 0/0 swapper/1>, idle"
    )
    assert "said: " in story and "syscall op=" in story


def test_a_task_that_does_not_sleep_is_not_woken(asked):
    cpu, at_ns = asked
    with pytest.raises(InvariantError, match="waiting for an answer and gets wake, which is for"):
        cpu.step(FAR, [(at_ns, m.EFF_WAKE, 10, 1)])


@pytest.mark.parametrize("code", [29, ASK, 99])
def test_an_effect_that_there_is_not_is_refused(asked, code):
    cpu, at_ns = asked
    with pytest.raises(InvariantError, match=r"no such message: .*, 10\)"):
        cpu.step(FAR, [(at_ns, code, 10)])


def test_a_tuning_that_there_is_not_is_refused(asked):
    cpu, at_ns = asked
    with pytest.raises(InvariantError, match="nothing to tune has the number 77"):
        cpu.step(FAR, [(at_ns, m.EFF_TUNE, 10, 77, None)])


def test_a_signal_moves_nobody_and_is_seen_to_on_the_way_to_user_mode(asked):
    cpu, at_ns = asked
    cpu.step(FAR, [(at_ns, m.EFF_SIGNAL, 10)])
    assert cpu.rq.curr.at == ASKED
    cpu.step(FAR, [(at_ns, m.EFF_RETURN, 10, 3)])
    assert cpu.out[-1][m.R_CODE] == m.REQ_USER_WORK


def test_who_slept_goes_on_in_the_kernel(asked):
    cpu, at_ns = asked
    cpu.step(FAR, [(at_ns, m.EFF_SLEEP, 10, TASK_INTERRUPTIBLE)])
    assert cpu.tasks[10].at == IN_KERNEL
    cpu.step(FAR, [(at_ns + 50_000, m.EFF_WAKE, 10, 1)])
    assert cpu.out[-1][m.R_CODE] == m.REQ_CONTINUE
    assert cpu.rq.curr.at == ASKED
    cpu.step(at_ns, [(cpu.now_ns, m.EFF_USER, 10)])
    assert cpu.rq.curr.at == USER
