"""The pools of limited groups in the kernel, and what the files of a cgroup read and take."""

import pytest

from kernel.errors import KernelError
from kernel.sched.bandwidth import ASK, GROUP_RUNTIME, GROUP_UNTHROTTLE, RETURN, THROTTLED
from kernel.smp import bandwidth, weigh
from kernel.smp.bandwidth import (
    PERIOD_TIMER,
    SLACK_TIMER,
    cpu_burst_show,
    cpu_burst_write,
    cpu_max_show,
    cpu_max_write,
)
from kernel.task import SignalStruct, TaskStruct
from kernel.uapi.errno_ import EINVAL
from tests.kernel.sched.limited import MS, Machine


def machine(quota=20, period=100, burst=0, cpus=2):
    return Machine("eevdf", {"a": (quota, period, burst)}, cpus)


def says(m, cpu, key, ns, serial=1):
    """Let a CPU say something; return what it is told."""
    bandwidth.said(m.k, cpu, key, (2, serial, ns))
    outbox, m.k.outbox = m.k.outbox, {}
    return [(to, effect[4], effect[5]) for to, effects in outbox.items() for effect in effects]


def test_a_cpu_gets_what_it_asks_for_as_long_as_there_is_any():
    m = machine(quota=12)
    assert says(m, 0, ASK, 5 * MS) == [(0, GROUP_RUNTIME, (2, 5 * MS))]
    assert says(m, 1, ASK, 5 * MS) == [(1, GROUP_RUNTIME, (2, 5 * MS))]
    assert says(m, 1, ASK, 5 * MS) == [(1, GROUP_RUNTIME, (2, 2 * MS))]
    assert says(m, 1, ASK, 5 * MS) == [(1, GROUP_RUNTIME, (2, 0))]


def test_those_that_wait_are_served_in_turn_as_far_as_it_goes():
    m = machine(quota=2, cpus=3)
    says(m, 0, ASK, 2 * MS)
    for cpu, need in ((1, 1 * MS), (0, 3 * MS), (2, 1 * MS)):
        assert says(m, cpu, THROTTLED, need) == []
    assert list(m.k.groups.throttled) == [(2, 1), (2, 0), (2, 2)]
    m.k.now_ns, serial, _, what = m.k.timers.pop()
    PERIOD_TIMER.expire(m.k, what, serial)
    assert list(m.k.outbox) == [1]
    assert list(m.k.groups.throttled) == [(2, 0), (2, 2)]
    m.k.outbox = {}
    m.k.now_ns, serial, _, what = m.k.timers.pop()
    PERIOD_TIMER.expire(m.k, what, serial)
    # CPU 0 has got 1 ms of its 3 in the first period: that counts
    told = {cpu: [effect[4:] for effect in effects] for cpu, effects in m.k.outbox.items()}
    assert told == {0: [(GROUP_UNTHROTTLE, (2, 3 * MS))]}
    assert list(m.k.groups.throttled) == [(2, 2)]


def test_who_throttles_as_the_pool_is_filled_goes_on_at_once():
    m = machine()
    assert says(m, 0, THROTTLED, 3 * MS) == [(0, GROUP_UNTHROTTLE, (2, 3 * MS))]
    assert not m.k.groups.throttled


def test_what_is_said_of_an_earlier_limit_means_nothing():
    m = machine()
    cpu_max_write(m.k, m.group("a"), "50000")
    m.k.outbox = {}
    assert says(m, 0, THROTTLED, 90 * MS, serial=1) == []
    assert not m.k.groups.throttled
    assert says(m, 0, ASK, 5 * MS, serial=2) == [(0, GROUP_RUNTIME, (2, 5 * MS))]


def test_time_that_comes_back_is_given_to_others_a_little_later():
    m = machine(quota=12)
    says(m, 0, ASK, 12 * MS)
    says(m, 1, THROTTLED, 2 * MS)
    assert says(m, 0, RETURN, 6 * MS) == []
    at_ns, serial, kind, what = m.k.timers.pop()
    assert (at_ns, kind) == (5 * MS, SLACK_TIMER)
    m.k.now_ns = at_ns
    kind.expire(m.k, what, serial)
    assert [effect[4:] for effect in m.k.outbox[1]] == [(GROUP_UNTHROTTLE, (2, 2 * MS))]


def test_just_before_a_period_ends_nothing_is_given_early():
    m = machine(quota=12)
    says(m, 0, ASK, 12 * MS)
    says(m, 1, THROTTLED, 2 * MS)
    m.k.now_ns = 94 * MS
    says(m, 0, RETURN, 6 * MS)
    assert m.k.timers.pop()[2] is PERIOD_TIMER


def test_a_timer_is_live_while_somebody_waits_for_it():
    m = machine(quota=5)
    says(m, 0, ASK, 5 * MS)
    _, serial, kind, what = m.k.timers.heap[0]
    assert not kind.is_live(what, serial)
    says(m, 1, THROTTLED, 1)
    assert kind.is_live(what, serial)
    assert not kind.is_live(what, serial + 1)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("50000 100000", "50000 100000\n"),
        ("50000", "50000 100000\n"),
        ("max", "max 100000\n"),
        ("max 20000", "max 20000\n"),
        ("1000 1000\n", "1000 1000\n"),
        ("9000000 1000000", "9000000 1000000\n"),
        ("  30000   60000  ", "30000 60000\n"),
        ("30000us 60000us", "30000 60000\n"),
    ],
)
def test_cpu_max_reads_what_was_written(text, reads):
    m = machine(quota=-1)
    cpu_max_write(m.k, m.group("a"), text)
    assert cpu_max_show(m.group("a")) == reads


@pytest.mark.parametrize(
    "text", ["", " ", "none", "999 100000", "5000 999", "5000 1000001", "-5000", "0 100000"]
)
def test_cpu_max_takes_nothing_else(text):
    m = machine(quota=30)
    with pytest.raises(KernelError) as refused:
        cpu_max_write(m.k, m.group("a"), text)
    assert refused.value.errno == EINVAL
    assert cpu_max_show(m.group("a")) == "30000 100000\n"


def test_a_group_without_a_limit_reads_max():
    m = machine(quota=-1)
    assert m.group("a").band is None
    assert cpu_max_show(m.group("a")) == "max 100000\n"
    assert cpu_burst_show(m.group("a")) == "0\n"


def test_a_burst_is_no_more_than_the_quota():
    m = machine(quota=30)
    cpu_burst_write(m.k, m.group("a"), 30_000)
    assert cpu_burst_show(m.group("a")) == "30000\n"
    with pytest.raises(KernelError):
        cpu_burst_write(m.k, m.group("a"), 30_001)


def test_cpu_stat_has_what_linux_has_in_its_order():
    m = machine()
    assert list(bandwidth.cfs_stat(m.group("a")).items()) == [
        *(("nr_periods", 0), ("nr_throttled", 0), ("throttled_usec", 0)),
        *(("nr_bursts", 0), ("burst_usec", 0)),
    ]


def test_loads_that_are_not_of_nice_0_leave_out_who_is_throttled():
    m = machine()
    m.k.uneven, m.k.uneven_cpus = {}, {}
    tasks = [TaskStruct(pid, pid, "t") for pid in (2, 3, 4)]
    for task, cpu in zip(tasks, (0, 0, 1)):
        task.cpu, task.nice = cpu, 5
        task.signal = SignalStruct()
        task.signal.autogroup = m.group("a")
        weigh.note_load(m.k, task)
        weigh.set_on_rq(m.k, task, True)
    tasks[1].signal.autogroup = None
    less = 335 - 1024
    kept = {0: 2 * less, 1: less}
    assert weigh.uneven_loads(m.k) == kept
    says(m, 0, THROTTLED, 21 * MS)
    assert m.k.uneven_cpus == weigh.sum_uneven(m.k) == kept
    assert weigh.uneven_loads(m.k) == {0: less, 1: less}
    says(m, 1, THROTTLED, 21 * MS)
    assert weigh.uneven_loads(m.k) == {0: less}
