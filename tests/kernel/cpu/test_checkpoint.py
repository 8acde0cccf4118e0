"""A CPU that is set down as data and taken up again does what it would have done."""

from unittest.mock import patch

import pytest

from kernel import messages as m
from kernel.cpu.checkpoint import pack_cpu, unpack_cpu
from kernel.cpu.cpu import Cpu
from kernel.machine import MachineSpec
from kernel.sched import classes
from kernel.sched.sched_class import DEADLINE_RANK, SchedClass
from kernel.uapi import syscalls as nr
from kernel.uapi.policy import SCHED_RR

MS = 1_000_000
NAPS = 2  # key of the timer


class Napper(SchedClass):
    """A class without tasks: every 1.7 ms its timer takes the CPU from whoever runs."""

    def __init__(self):
        super().__init__("napper", DEADLINE_RANK, ())

    def queued(self, rq):
        return []

    def pick_next_task(self, rq):
        return None

    def timer(self, rq, at_ns, key, data):
        rq.need_resched = True
        rq.timers.arm(at_ns + 1_700_000, self.rank, key, (data[0] + 1,))


class Computes:
    """A context that computes for ever, each time a little longer."""

    steps = 1

    def __init__(self, done=0):
        self.done = done

    def resume(self, value, error):
        self.done += 1
        return (nr.NR_COMPUTE, MS + self.done)

    def pack(self):
        return [self.done]


class Loader:
    def start(self, image, argv, env, start=0):
        return Computes()


@pytest.fixture(autouse=True)
def napper():
    with patch.dict(classes._registered):
        classes.register(Napper())
        yield


def make_cpu():
    return Cpu(1, MachineSpec(cpus=2, classes=("napper",)), Loader())


def taken_up(cpu):
    """Return a new CPU made of the data of ``cpu``, tuples turned into lists and back."""
    new = make_cpu()
    unpack_cpu(new, pack_cpu(cpu), lambda data: Computes(*data))
    return new


def spawn(pid, at_ns=0, nice=0):
    return (at_ns, m.EFF_SPAWN, pid, pid, f"p{pid}", nice, "prog", ("prog",), (), 0)


EFFECTS = [
    spawn(10),
    spawn(11, nice=5),
    spawn(12),
    spawn(13),
    (5 * MS, m.EFF_TUNE, 12, m.TUNE_POLICY, (SCHED_RR, 7, 0, False, ())),
    (6 * MS, m.EFF_TUNE, 13, m.TUNE_POLICY, (SCHED_RR, 7, 0, False, ())),
    (400 * MS, m.EFF_TUNE, 12, m.TUNE_POLICY, (0, 0, 3, False, ())),
    (900 * MS, m.EFF_TUNE, 77, m.TUNE_COMM, "not here yet"),
]


@pytest.mark.parametrize("set_down_ns", [1, 3 * MS, 7 * MS + 1, 250 * MS, 399 * MS, 960 * MS])
def test_a_cpu_with_queues_and_an_armed_timer_has_the_same_future(set_down_ns):
    one, other = make_cpu(), make_cpu()
    for cpu in (one, other):
        cpu.timers.arm(123_456, DEADLINE_RANK, NAPS, (0,))
        cpu.step(set_down_ns, EFFECTS)
    trace = other.trace
    other = taken_up(other)
    other.trace = trace
    for horizon_ns in (set_down_ns + 5 * MS, 1_200 * MS, 2_000 * MS):
        assert one.step(horizon_ns, ()) == other.step(horizon_ns, ())
    assert one.trace == other.trace
    assert len(one.trace) > 50
    assert pack_cpu(one) == pack_cpu(other)


def test_what_nobody_has_taken_is_not_set_down():
    cpu = make_cpu()
    cpu.out.append((1,))
    with pytest.raises(AssertionError, match="cpu 1 has something to say"):
        pack_cpu(cpu)
