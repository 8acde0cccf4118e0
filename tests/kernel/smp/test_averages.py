"""What the kernel makes of the averages that CPUs have said: how they go on without news."""

import pytest

from kernel.smp import averages, weigh
from kernel.task import TaskStruct
from tests.kernel.smp.machines import machine

PERIOD_NS = 1 << 20


def later(k, periods):
    k.now_ns += periods * PERIOD_NS


def task(cpu, **fields):
    made = TaskStruct(7, 7, "t")
    made.cpu = cpu
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_cpu_that_runs_something_without_a_word_fills_and_one_that_idles_empties():
    k = machine([2, 0], cores=2)
    busy, idle = k.averages.cpus
    busy.load = busy.runnable = busy.util = 0
    idle.load = idle.runnable = idle.util = 1000
    k.averages.warm = 0b11
    later(k, 32)
    for cpu in (0, 1):
        averages.settle(k, cpu)
    assert (busy.load, busy.runnable, busy.util) == (1025, 1025, 513)
    assert all(499 <= value <= 500 for value in (idle.load, idle.runnable, idle.util))
    later(k, 3000)
    for cpu in (0, 1):
        averages.settle(k, cpu)
    assert (busy.load, busy.util, idle.load, idle.util) == (2048, 1024, 0, 0)
    averages.settle(k, 1)
    assert k.averages.warm == 0b01


def test_load_of_a_queue_goes_to_the_weight_of_its_tasks():
    k = machine([2, 0], cores=2)
    light = task(0, nice=5, on_rq=True)
    weigh.note_load(k, light)
    later(k, 3000)
    assert averages.settle(k, 0).load == 1024 + 335


def test_what_a_cpu_says_counts():
    k = machine([1, 0], cores=2)
    known = task(0, on_rq=True)
    k.find_task = {7: known}.get
    averages.heard(k, 0, 7, (900, 800, 700, 1000, 950, 900, 50, 20))
    avg = k.averages.cpus[0]
    assert (avg.load, avg.runnable, avg.util, avg.rt, avg.dl) == (1000, 950, 900, 50, 20)
    assert (known.avg.load, known.avg.runnable, known.avg.util) == (900, 800, 700)
    assert averages.capacity_of(k, 0) == 1024 - 70
    averages.heard(k, 0, 0, (-1, -1, -1, 10, 10, 10, 0, 0))
    assert (avg.load, known.avg.load) == (10, 900)


def test_a_sleeper_fades_and_one_that_shares_its_cpu_is_as_busy_as_it_was():
    k = machine([2, 0], cores=2)
    sleeper, sharer = task(0), task(0, on_rq=True)
    for each in (sleeper, sharer):
        each.avg = averages.TaskAvg(600, 400, k.now_ns >> 20)
    later(k, 32)
    averages.settle_task(k, sleeper)
    averages.settle_task(k, sharer)
    assert (sleeper.avg.load, sleeper.avg.util) == (299, 199)
    assert (sharer.avg.load, sharer.avg.util) == (600 + 212, 400)
    k.load.count(0, -1)
    later(k, 3000)
    assert averages.settle_task(k, sharer).util == 1024  # it has the CPU for itself


def test_what_a_task_adds_goes_where_it_goes_and_dies_with_it():
    k = machine([1, 0], cores=2)
    moves = task(0)
    moves.avg = averages.TaskAvg(300, 200, k.now_ns >> 20)
    averages.moved(k, moves, 0, 1)
    here, there = k.averages.cpus
    assert (here.load, here.util) == (724, 824)
    assert (there.load, there.runnable, there.util) == (300, 200, 200)
    moves.cpu = 1
    averages.dead(k, moves)
    assert (there.load, there.runnable, there.util) == (0, 0, 0)


def test_a_new_task_adds_its_weight_and_half_of_what_is_left():
    k = machine([0, 1], cores=2)
    averages.attach_new(k, task(0), 0)
    assert (k.averages.cpus[0].load, k.averages.cpus[0].util) == (1024, 512)
    averages.attach_new(k, task(1), 1)
    assert (k.averages.cpus[1].load, k.averages.cpus[1].util) == (2048, 1024)


def test_how_long_a_cpu_idles_is_averaged_over_eight_times():
    k = machine([0, 1], cores=2)
    avg = k.averages.cpus[0]
    avg.idle_stamp = k.now_ns
    k.now_ns += 200_000
    averages.count(k, 0, 1)
    assert (avg.avg_idle, avg.idle_stamp) == (1_000_000 - 100_000, -1)
    avg.idle_stamp = k.now_ns
    averages.pulled(k, 0)
    k.now_ns += 200_000
    averages.count(k, 0, 1)
    assert avg.avg_idle == 900_000


@pytest.mark.parametrize(
    ("util", "number"),
    # 117 % of it squared, of 1024 squared
    [(0, 8), (300, 7), (512, 5), (700, 2), (870, 0), (1024, 0)],
)
def test_the_fuller_a_cache_is_the_fewer_cpus_a_wake_up_looks_at(util, number):
    k = machine([0] * 8, cores=8)
    for avg in k.averages.cpus:
        avg.util = util
    k.averages.warm = 0xFF
    assert averages.nr_idle_scan(k, 0xFF, 117) == number
    k.averages.warm = 0
    assert averages.nr_idle_scan(k, 0xFF, 117) == number  # for 8 ms
    k.now_ns += 8_000_000
    assert averages.nr_idle_scan(k, 0xFF, 117) == 8


def test_groups_with_two_that_run_something_are_counted():
    k = machine([0] * 8, llcs=2, cores=2, smt=2)
    counts = []
    for cpu, change in ((0, 1), (1, 1), (2, 1), (4, 1), (6, 1), (1, -1), (2, -1)):
        averages.count(k, cpu, change)
        k.load.count(cpu, change)
        counts.append(k.averages.crowded)
    # the core of 0 and 1, their cache; the cache of 4 and 6
    assert counts == [0, 2, 2, 2, 3, 2, 1]


def summed_up(k, cpus):
    """Return what ``group_sum`` must be, by a look at each CPU."""
    found = [averages.settle(k, cpu) for cpu in cpus]
    return [sum(getattr(avg, name) for avg in found) for name in ("load", "util", "runnable")]


def test_what_a_group_has_is_what_its_cpus_have_whatever_changes_within_a_period():
    k = machine([2, 1, 0, 0], cores=4)
    task_of = {7: task(1, on_rq=True)}
    k.find_task = task_of.get

    def agrees():
        for mask, cpus in ((0b11, (0, 1)), (0b1100, (2, 3)), (0b1111, (0, 1, 2, 3))):
            kept = averages.group_sum(k, mask)
            assert [kept.load, kept.util, kept.runnable] == summed_up(k, cpus)
            assert kept.taken == sum(1024 - averages.capacity_of(k, cpu) for cpu in cpus)

    later(k, 5)
    agrees()
    averages.heard(k, 1, 7, (900, 800, 700, 1000, 950, 900, 50, 20))
    agrees()
    averages.moved(k, task_of[7], 1, 2)
    agrees()
    averages.attach_new(k, task(3, on_rq=True), 3)
    agrees()
    later(k, 1)
    averages.settle(k, 0)
    later(k, -1)  # a request of another CPU in the same round
    agrees()
    averages.dead(k, task_of[7])
    agrees()
    later(k, 40)
    agrees()
