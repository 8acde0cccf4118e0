"""When a CPU looks for work elsewhere, which CPU it asks, and for how much."""

import pytest

from kernel.kernel import Kernel
from kernel.machine import MachineSpec
from kernel.messages import EFF_BALANCE, MIGRATE_LOAD, MIGRATE_TASK, NEVER
from kernel.process.attrs import new_attrs
from kernel.smp import balance, passes, weigh
from kernel.smp.classes import SchedTable
from kernel.smp.domains import SchedDomain, domains_of, get_sd_balance_interval, start_balancing
from kernel.smp.load import LoadTable
from kernel.smp.mutations import SchedMutations
from kernel.smp.task_groups import GroupTable
from kernel.smp.topology import Level, Topology, flat
from kernel.task import TaskStruct
from kernel.uapi.policy import SCHED_FIFO, SCHED_IDLE
from tests.kernel.smp.machines import full_averages

TICK_NS = 4_000_000  # 250 Hz


class Table:
    """The load table and what is sent, without a kernel around."""

    def __init__(self, *nr_running, linux="6.12", hz=250, topology=None):
        cpus = len(nr_running)
        self.spec = MachineSpec(cpus=cpus, hz=hz)
        self.bugs = SchedMutations(())
        self.load = LoadTable(cpus)
        for cpu, number in enumerate(nr_running):
            for _ in range(number):
                self.load.count(cpu, 1)
        self.tick_ns = 1_000_000_000 // hz
        self.topology = topology or flat(cpus)
        self.domains = domains_of(self.topology, linux)
        self.sched = SchedTable(self.spec)
        self.averages = None if self.topology.flat else full_averages(self.topology, nr_running)
        self.next_balance = 0
        self.balance_ns = NEVER
        self.now_ns = 0
        self.uneven = {}
        self.uneven_cpus = {}
        self.groups = GroupTable(self.spec)
        self.outbox = {}

    send = Kernel.send

    def take(self):
        outbox, self.outbox = self.outbox, {}
        sent = [(cpu, effect) for cpu, effects in outbox.items() for effect in effects]
        assert all(effect[1] == EFF_BALANCE for _, effect in sent)
        return [(cpu, *effect[3:9]) for cpu, effect in sent]

    def pass_of(self, cpu):
        for level in self.domains:
            if self.averages is None:
                balance.load_balance(self, level[cpu], cpu, weigh.uneven_loads(self))
            else:
                passes.load_balance(self, level[cpu], cpu, self.load.nr_running[cpu] <= 0)
        return self.take()

    def loads(self):
        more = weigh.uneven_loads(self)
        loads = [weigh.cpu_load(self, cpu, more) for cpu in range(self.spec.cpus)]
        assert weigh.span_load(self, self.topology.online, more) == sum(loads)
        return loads


def intervals(cpus, busy, linux="6.12", hz=250):
    sd = SchedDomain((1 << cpus) - 1, 0, linux)
    first = get_sd_balance_interval(sd, busy, hz, cpus)
    sd.balance_interval = sd.max_interval
    return first, get_sd_balance_interval(sd, busy, hz, cpus)


@pytest.mark.parametrize(
    ("cpus", "idle", "busy"),
    # jiffies of 4 ms: 2 ms round up to one, 32 ms are 8, less one
    [(2, (1, 1), (7, 15)), (8, (2, 4), (31, 63)), (64, (16, 32), (255, 511))],
)
def test_intervals_are_cpus_in_ms_up_to_twice_that_and_16_times_as_long_on_a_busy_cpu(
    cpus, idle, busy
):
    assert intervals(cpus, False) == idle
    assert intervals(cpus, True) == busy


def test_no_interval_is_longer_than_a_tenth_of_a_second_for_each_cpu():
    assert intervals(2, True, hz=1000) == (31, 63)
    sd = SchedDomain(0b11, 0, "6.12")
    sd.balance_interval = 512
    assert get_sd_balance_interval(sd, True, 250, 2) == 50


def test_the_old_kernel_has_its_own_numbers():
    assert intervals(8, False, "2.6.34") == (1, 1)
    assert intervals(8, True, "2.6.34") == (16, 64)


def test_an_idle_cpu_asks_the_busiest_for_half_of_its_tasks():
    assert Table(0, 2, 5, 3).pass_of(0) == [(2, 0, True, MIGRATE_TASK, 2, 0, False)]


def test_among_equals_the_next_one_round_is_asked():
    assert Table(3, 1, 3, 3).pass_of(1)[0][0] == 2
    assert Table(3, 3, 3, 1).pass_of(3)[0][0] == 0


def test_a_cpu_with_one_task_takes_no_more_load_than_brings_both_to_the_average():
    # 2048 and 1024, average 1536: 512 is to go
    assert Table(2, 1).pass_of(1) == [(0, 1, False, MIGRATE_LOAD, 512, 0, False)]
    # 5 and 1 and 1: average 2389 of 1024 each
    assert Table(5, 1, 1).pass_of(1)[0][4] == min(5 * 1024 - 2389, 2389 - 1024)


@pytest.mark.parametrize(
    ("table", "cpu"),
    [((1, 1), 0), ((2, 2), 1), ((1, 1, 0), 2), ((2, 1, 1), 0), ((3, 4), 1), ((9, 2, 4), 0)],
)
def test_who_has_as_much_as_the_others_or_sees_nobody_wait_asks_nobody(table, cpu):
    assert Table(*table).pass_of(cpu) == []


def test_a_loaded_cpu_ignores_a_difference_of_less_than_17_percent():
    assert Table(6, 7).pass_of(0) == []  # 117 % of 6 are 7.02
    assert Table(5, 6).pass_of(0)[0][4] == 512


def test_load_is_weight_and_real_time_tasks_have_none():
    k = Table(2, 2)
    heavy, light, batch, fifo = (TaskStruct(pid, pid, "t") for pid in range(4))
    heavy.nice, light.nice = -5, 5
    new_attrs(batch).policy = SCHED_IDLE
    attrs = new_attrs(fifo)
    attrs.policy, attrs.rt_priority = SCHED_FIFO, 1
    for task, cpu in ((heavy, 0), (light, 0), (batch, 1), (fifo, 1)):
        task.on_rq, task.cpu = True, cpu
        weigh.note_load(k, task)
    assert k.loads() == [3121 + 335, 3 + 0]
    weigh.set_on_rq(k, heavy, False)
    light.nice = 0
    weigh.note_load(k, light)
    assert k.loads() == [2048, 3]
    assert light not in k.uneven


def test_what_tasks_weigh_more_goes_with_them_and_is_the_sum_of_all():
    k = Table(2, 2)
    tasks = [TaskStruct(pid, pid, "t") for pid in range(4)]
    for task, nice in zip(tasks, (-5, 5, 5, 0)):
        task.nice = nice
        weigh.note_load(k, task)
        assert k.uneven_cpus == weigh.sum_uneven(k)
        weigh.set_on_rq(k, task, True)
    assert k.uneven_cpus == weigh.sum_uneven(k) == {0: 3121 + 2 * 335 - 3 * 1024}
    weigh.set_task_cpu(k, tasks[0], 1)
    assert k.uneven_cpus == weigh.sum_uneven(k) == {0: 2 * (335 - 1024), 1: 3121 - 1024}
    seen = weigh.uneven_loads(k)
    for task in tasks:
        weigh.set_on_rq(k, task, False)
        assert k.uneven_cpus == weigh.sum_uneven(k)
    assert k.uneven_cpus == {}
    assert seen[1] == 3121 - 1024


def test_after_a_pass_that_moved_something_the_interval_is_the_shortest():
    k = Table(2, 1)
    sd = k.domains[0][1]
    sd.balance_interval = sd.max_interval
    k.pass_of(1)
    assert sd.asked
    balance.balanced(k, 0, 1, 1, False, False)
    assert (sd.nr_balance_failed, sd.balance_interval, sd.asked) == (0, sd.min_interval, False)


def test_failures_are_counted_and_the_fourth_of_an_idle_cpu_takes_the_running_task():
    k = Table(2, 0)
    for failed in range(3):
        assert k.pass_of(1) == [(0, 1, True, MIGRATE_TASK, 1, failed, False)]
        balance.balanced(k, 0, 1, 0, False, False)
    assert k.pass_of(1) == [(0, 1, True, MIGRATE_TASK, 1, 3, True)]
    balance.balanced(k, 0, 1, 0, False, True)
    sd = k.domains[0][1]
    assert (sd.nr_balance_failed, sd.balance_interval) == (2, sd.max_interval)


def test_where_all_tasks_are_bound_the_next_busiest_is_asked_and_then_nobody():
    k = Table(4, 3, 0)
    assert k.pass_of(2)[0][0] == 0
    balance.balanced(k, 0, 2, 0, True, False)
    assert [sent[0] for sent in k.take()] == [1]
    balance.balanced(k, 1, 2, 0, True, False)
    assert k.take() == []
    sd = k.domains[0][2]
    assert (sd.nr_balance_failed, sd.balance_interval, sd.asked) == (0, 6, False)


def test_nothing_is_due_while_no_cpu_has_two_tasks_and_then_every_cpu_in_its_turn():
    k = Table(1, 1)
    k.now_ns = 1_000_000_000
    k.load.count(0, 1)
    start_balancing(k)
    # one look at the next tick tells whose turn is when: all would have looked every 15 jiffies
    assert k.balance_ns == 251 * TICK_NS
    balance.run_rebalance_domains(k)
    assert k.take() == []
    assert k.balance_ns == 255 * TICK_NS
    balance.run_rebalance_domains(k)
    assert [sent[:2] for sent in k.take()] == [(0, 1)]
    # a pass without an answer yet is not repeated
    k.balance_ns = k.domains[0][1].next_balance * TICK_NS
    balance.run_rebalance_domains(k)
    assert k.take() == []


def test_a_machine_of_one_cpu_has_nothing_to_balance():
    k = Table(5)
    start_balancing(k)
    assert k.balance_ns == NEVER


def test_a_cpu_that_becomes_idle_does_not_wait_for_a_busy_cpus_interval():
    k = Table(2, 1)
    k.now_ns = k.balance_ns = 2_000 * TICK_NS
    balance.run_rebalance_domains(k)
    assert k.domains[0][1].next_balance >= 2_007
    k.load.count(1, -1)
    balance.newly_idle(k, 1)
    assert k.domains[0][1].next_balance == 2_001
    assert k.balance_ns == 2_001 * TICK_NS


def two_sockets():
    """CPUs 0, 1 and 2, 3 share a cache each."""
    inner = Level("MC", [0b0011, 0b0011, 0b1100, 0b1100], [0b0001, 0b0010, 0b0100, 0b1000])
    return Topology(4, [inner, Level("PKG", [0b1111] * 4, [0b0011, 0b0011, 0b1100, 0b1100])])


def test_each_level_looks_at_its_own_span_without_what_the_level_below_has():
    k = Table(0, 3, 9, 1, topology=two_sockets())
    inner, outer = k.pass_of(0)
    assert (inner[0], outer[0]) == (1, 2)
    # at the outer one 3 has a task of its own, and less than the average is not missing
    assert [sent[0] for sent in k.pass_of(3)] == [2]
    assert [sent[0] for sent in Table(9, 1, 1, 1, topology=two_sockets()).pass_of(2)] == [0]


def test_an_answer_belongs_to_the_level_at_which_the_two_cpus_are_in_different_groups():
    k = Table(0, 3, 9, 1, topology=two_sockets())
    k.pass_of(0)
    assert k.domains[0][0].asked and k.domains[1][0].asked
    balance.balanced(k, 2, 0, 0, False, False)
    assert (k.domains[0][0].asked, k.domains[1][0].asked) == (True, False)
    assert (k.domains[0][0].nr_balance_failed, k.domains[1][0].nr_balance_failed) == (0, 1)


def test_a_larger_domain_is_looked_at_less_often_and_each_level_in_its_turn():
    k = Table(0, 2, 0, 2, topology=two_sockets())
    inner, outer = k.domains[0][0], k.domains[1][0]
    assert (inner.min_interval, outer.min_interval) == (2, 4)
    k.now_ns = k.balance_ns = 1_000 * TICK_NS
    balance.run_rebalance_domains(k)
    assert {sent[:2] for sent in k.take()} <= {(1, 0), (3, 2), (3, 0), (1, 2)}
