"""What the core tells the classes, and when: a class that writes down what happens to it."""

from unittest.mock import patch

import pytest

from kernel import messages as m
from kernel.cpu.cpu import Cpu
from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import classes, core
from kernel.sched.rq import Rq
from kernel.sched.sched_class import FAIR_RANK, RT_RANK, ClassRq, SchedClass
from kernel.uapi.policy import SCHED_FIFO, SCHED_NORMAL
from kernel.uapi.task_state import TASK_INTERRUPTIBLE

FAR = 10**9


class WitnessRq(ClassRq):
    def __init__(self):
        super().__init__()
        self.waiting = []
        self.running = None
        self.told = []


class Witness(SchedClass):
    """First come, first served, until it sleeps; ``told`` has the order of the calls."""

    def __init__(self):
        super().__init__("witness")

    def make_rq(self, tunables, spec):
        return WitnessRq()

    def note(self, rq, what, p):
        rq.of[FAIR_RANK].told.append((what, p.pid))

    def enqueue_task(self, rq, p, flags):
        self.note(rq, "enqueue", p)
        rq.of[FAIR_RANK].nr_running += 1
        rq.of[FAIR_RANK].waiting.append(p)

    def dequeue_task(self, rq, p, flags):
        self.note(rq, "dequeue", p)
        mine = rq.of[FAIR_RANK]
        mine.nr_running -= 1
        if p in mine.waiting:
            mine.waiting.remove(p)

    def queued(self, rq):
        return list(rq.of[FAIR_RANK].waiting)

    def pick_next_task(self, rq):
        mine = rq.of[FAIR_RANK]
        if not mine.waiting:
            return None
        mine.running = mine.waiting.pop(0)
        mine.running.exec_start_ns = rq.clock_ns
        return mine.running

    def put_prev_task(self, rq, p):
        self.note(rq, "put_prev", p)
        mine = rq.of[FAIR_RANK]
        assert mine.running is p
        mine.running = None
        if p.on_rq:
            mine.waiting.insert(0, p)

    def set_next_task(self, rq, p):
        self.note(rq, "set_next", p)
        mine = rq.of[FAIR_RANK]
        mine.waiting.remove(p)
        mine.running = p

    def wakeup_preempt(self, rq, p, flags):
        self.note(rq, "wakeup_preempt", p)

    def task_woken(self, rq, p):
        assert p.on_rq
        self.note(rq, "woken", p)

    def task_dead(self, rq, p):
        assert not p.on_rq
        assert rq.curr is not p
        self.note(rq, "dead", p)

    def switched_from(self, rq, p):
        self.note(rq, "switched_from", p)

    def switched_to(self, rq, p):
        self.note(rq, "switched_to", p)


@pytest.fixture(autouse=True)
def witness():
    with patch.dict(classes._registered):
        classes.register(Witness())
        yield


def make_rq():
    return Rq(0, MachineSpec(cpus=1, fair="witness"))


def told(rq):
    mine = rq.of[FAIR_RANK]
    result, mine.told = mine.told, []
    return result


def running(rq):
    task = CpuTask(1, 1, "t")
    core.activate_task(rq, task, core.ENQUEUE_INITIAL)
    core.put_prev_task(rq, rq.curr)
    assert core.pick_next_task(rq) is task
    told(rq)
    return task


def test_a_running_task_is_put_by_the_class_it_leaves_before_the_new_one_has_it():
    rq = make_rq()
    task = running(rq)
    core.sched_setscheduler(rq, task, SCHED_FIFO, 10, 0, False)
    assert told(rq) == [("switched_from", 1), ("dequeue", 1), ("put_prev", 1)]
    assert rq.of[FAIR_RANK].running is None
    assert rq.of[RT_RANK].active == {10: [task]}
    core.sched_setscheduler(rq, task, SCHED_NORMAL, 0, 0, False)
    assert told(rq) == [("enqueue", 1), ("set_next", 1), ("switched_to", 1)]
    assert rq.of[FAIR_RANK].running is task


def test_a_waiting_task_changes_class_without_being_put():
    rq = make_rq()
    running(rq)
    other = CpuTask(2, 2, "u")
    core.activate_task(rq, other, core.ENQUEUE_INITIAL)
    told(rq)
    core.sched_setscheduler(rq, other, SCHED_FIFO, 10, 0, False)
    assert told(rq) == [("switched_from", 2), ("dequeue", 2)]
    assert rq.need_resched


class Endless:
    """A program that makes system calls for ever."""

    steps = 1

    def resume(self, value, error):
        return ("anything",)

    def start(self, image, argv, env, start=0):
        return self


def test_a_class_hears_who_is_new_who_woke_and_who_died_after_the_rest_is_done():
    cpu = Cpu(0, MachineSpec(cpus=1, fair="witness"), Endless())
    for pid in (7, 8):
        cpu.step(FAR, [(0, m.EFF_SPAWN, pid, pid, "p", 0, "p", ("p",), (), 0)])
    news = told(cpu.rq)
    assert news.index(("enqueue", 7)) < news.index(("woken", 7))
    assert news.index(("wakeup_preempt", 8)) < news.index(("woken", 8))
    cpu.step(FAR, [(cpu.now_ns, m.EFF_SLEEP, 7, TASK_INTERRUPTIBLE)])
    assert ("dead", 7) not in told(cpu.rq)
    cpu.step(FAR, [(cpu.now_ns, m.EFF_WAKE, 7, 0)])
    assert told(cpu.rq) == [("enqueue", 7), ("wakeup_preempt", 7), ("woken", 7)]
    cpu.step(FAR, [(cpu.now_ns, m.EFF_DEAD, 8)])
    assert told(cpu.rq) == [("dequeue", 8), ("put_prev", 8), ("dead", 8)]
