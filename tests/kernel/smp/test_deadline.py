"""The kernel's half of the deadline class: who gets into it, and which Linux has it."""

import pytest

from kernel.errors import KernelError
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EBUSY, EINVAL, ENOSYS
from kernel.uapi.policy import SCHED_DEADLINE, SCHED_IDLE

MS = 1_000_000


@pytest.mark.parametrize(
    "call",
    [
        (nr.NR_SCHED_SETATTR, 0, SCHED_DEADLINE, 0, 0, MS, 9 * MS, 9 * MS, 0, 56),
        (nr.NR_SCHED_GETATTR, 0, 56),
        (nr.NR_PIDFD_OPEN, 1, 0),
        (nr.NR_PIDFD_SEND_SIGNAL, 3, 9, 0),
        (nr.NR_SETNS, 3, 0),
        (nr.NR_CLONE3, 0, 17, -1),
    ],
    ids=lambda call: nr.NAMES[call[0]],
)
def test_calls_that_came_later_are_unknown_to_2_6_34(make, call):
    machine = make(linux="2.6.34")
    assert machine.errno(machine.first, *call) == ENOSYS


def test_2_6_34_has_no_policy_beyond_sched_idle(make):
    machine = make(linux="2.6.34")
    assert machine.errno(machine.first, nr.NR_SCHED_SETSCHEDULER, 0, SCHED_DEADLINE, 0) == EINVAL
    for policy, errno in ((SCHED_IDLE, 0), (SCHED_DEADLINE, EINVAL), (7, EINVAL)):
        for call in (nr.NR_SCHED_GET_PRIORITY_MAX, nr.NR_SCHED_GET_PRIORITY_MIN):
            if errno:
                assert machine.errno(machine.first, call, policy) == errno
            else:
                assert machine.call(machine.first, call, policy) == 0


def ask(machine, task, runtime, period, flags=0):
    call = (nr.NR_SCHED_SETATTR, task.pid, SCHED_DEADLINE, 0, 0, runtime, period, period, flags, 56)
    try:
        machine.call(machine.first, *call)
    except KernelError as error:
        return error.errno
    return 0


def test_all_together_get_95_percent_of_each_cpu_less_what_the_fair_server_has(machine):
    tasks = [machine.fork(machine.first) for _ in range(4)]  # two CPUs
    answers = [ask(machine, task, 45 * MS, 100 * MS) for task in tasks]
    assert answers == [0] * len(tasks)
    last = machine.fork(machine.first)
    assert ask(machine, last, MS, 100 * MS) == EBUSY
    assert ask(machine, tasks[0], 46 * MS, 100 * MS) == EBUSY
    assert ask(machine, tasks[0], 44 * MS, 100 * MS) == 0
    assert ask(machine, last, MS, 100 * MS) == 0
    machine.exit(last)
    assert ask(machine, tasks[1], 46 * MS, 100 * MS) == 0
