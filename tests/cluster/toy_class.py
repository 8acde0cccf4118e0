"""A scheduling class of one's own, whole: first come, first served, for one quantum each.

sched: {fair: "toy_class.py:Toy", toy: {quantum: 2ms}}
"""

from dataclasses import dataclass

from kernel.sched.sched_class import FAIR_RANK, ClassRq, Entity, SchedClass
from kernel.sched.tunables import duration, switch


@dataclass(frozen=True)
class ToyTunables:
    quantum_ns: int = duration(3_000_000, 100_000, 1_000_000_000, "How long a turn is.")
    newest_first: bool = switch(False, "Whether the last to come is served first.")


class ToyEntity(Entity):
    """How many turns a task has had, on all CPUs: it travels with the task."""

    def __init__(self):
        self.turns = 0

    def pack(self):
        return [self.turns]

    def unpack(self, data):
        (self.turns,) = data


class ToyRq(ClassRq):
    def __init__(self, tunables):
        super().__init__()
        self.tunables = tunables
        self.waiting = []
        self.timer = 0

    def pack(self):
        return [self.nr_running, [p.pid for p in self.waiting], self.timer]

    def unpack(self, data, tasks):
        self.nr_running, waiting, self.timer = data
        self.waiting = [tasks[pid] for pid in waiting]


class Toy(SchedClass):
    def __init__(self):
        super().__init__("toy", tunables=ToyTunables, title="a toy")

    def make_rq(self, tunables, spec):
        return ToyRq(tunables)

    def make_entity(self):
        return ToyEntity()

    def enqueue_task(self, rq, p, flags):
        toy = rq.of[FAIR_RANK]
        toy.nr_running += 1
        toy.waiting.append(p)

    def dequeue_task(self, rq, p, flags):
        toy = rq.of[FAIR_RANK]
        toy.nr_running -= 1
        if p in toy.waiting:
            toy.waiting.remove(p)

    def queued(self, rq):
        return list(rq.of[FAIR_RANK].waiting)

    def pick_next_task(self, rq):
        toy = rq.of[FAIR_RANK]
        if not toy.waiting:
            return None
        p = toy.waiting.pop(-1 if toy.tunables.newest_first else 0)
        self._begin_turn(rq, toy, p)
        return p

    def _begin_turn(self, rq, toy, p):
        p.exec_start_ns = rq.clock_ns
        p.se.turns += 1
        toy.timer = rq.timers.arm(rq.clock_ns + toy.tunables.quantum_ns, self.rank, p.pid)

    def timer(self, rq, at_ns, key, data):
        assert rq.curr.pid == key
        rq.need_resched = True  # its turn is over

    def put_prev_task(self, rq, p):
        toy = rq.of[FAIR_RANK]
        rq.timers.cancel(toy.timer)
        if p.on_rq:
            toy.waiting.append(p)

    def set_next_task(self, rq, p):
        toy = rq.of[FAIR_RANK]
        toy.waiting.remove(p)
        self._begin_turn(rq, toy, p)

    def update_curr(self, rq):
        rq.curr.sum_exec_ns += rq.clock_ns - rq.curr.exec_start_ns
        rq.curr.exec_start_ns = rq.clock_ns
