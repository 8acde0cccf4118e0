"""A deadline class of one's own, both halves of it in one file: earliest deadline first.

sched: {classes: ["toy_deadline.py:Edf"], edf: {longest: 5ms}}

A task's turn begins when it wakes; it has to be over by the relative deadline of its
sched_setattr(). One that computes for longer than ``longest`` gets a later deadline.
"""

from dataclasses import dataclass

from kernel.errors import KernelError
from kernel.process.attrs import attrs_of
from kernel.sched.sched_class import DEADLINE_RANK, ClassRq, Entity, SchedClass
from kernel.sched.tunables import duration
from kernel.smp.push import PushedClass
from kernel.uapi.errno_ import EBUSY, EINVAL
from kernel.uapi.policy import SCHED_DEADLINE

FAR = 1 << 62
OVERRUN = 1  # key of the timer


@dataclass(frozen=True)
class EdfTunables:
    longest_ns: int = duration(5_000_000, 1_000, 1_000_000_000, "When a turn is too long.")


class EdfEntity(Entity):
    def __init__(self):
        self.relative_ns = self.deadline_ns = 0

    def pack(self):
        return [self.relative_ns, self.deadline_ns]

    def unpack(self, data):
        self.relative_ns, self.deadline_ns = data


class EdfRq(ClassRq):
    def __init__(self, tunables):
        super().__init__()
        self.longest_ns = tunables.longest_ns
        self.waiting = []
        self.timer = 0

    def pack(self):
        return [self.nr_running, [p.pid for p in self.waiting], self.timer]

    def unpack(self, data, tasks):
        self.nr_running, waiting, self.timer = data
        self.waiting = [tasks[pid] for pid in waiting]


class EdfHalf(PushedClass):
    """The kernel's half: parameters, admission by utilisation, and who goes to another CPU."""

    def __init__(self):
        super().__init__(DEADLINE_RANK)

    def own_attrs(self, k, attr):
        if len(attr.raw) != 3 or not 0 < attr.raw[0] <= attr.raw[1] <= attr.raw[2]:
            raise KernelError(EINVAL)
        return attr.raw

    def admit(self, k, task, attr, own):
        members = k.sched.members[self.rank]
        others = [attrs_of(each).own for each in members if each is not task]
        used = sum(runtime * 1000 // period for runtime, _, period in (*others, own))
        return EBUSY if used > 950 * k.spec.cpus else 0

    def task_prio(self, task, attrs):
        return -101

    def may_fork(self, attrs):
        return attrs.reset_on_fork

    def urgency(self, k, task):
        return FAR - attrs_of(task).own[1]


class Edf(SchedClass):
    def __init__(self):
        super().__init__(
            "edf", DEADLINE_RANK, (SCHED_DEADLINE,), EdfTunables, "deadline", half=EdfHalf()
        )

    def make_rq(self, tunables, spec):
        return EdfRq(tunables)

    def make_entity(self):
        return EdfEntity()

    def setparam(self, rq, p, priority, own):
        p.prio = -1
        p.se.relative_ns = own[1]
        p.se.deadline_ns = rq.clock_ns + own[1]

    def enqueue_task(self, rq, p, flags):
        mine = rq.of[self.rank]
        mine.nr_running += 1
        if flags:  # it slept, or comes from elsewhere
            p.se.deadline_ns = rq.clock_ns + p.se.relative_ns
        mine.waiting.append(p)

    def dequeue_task(self, rq, p, flags):
        mine = rq.of[self.rank]
        mine.nr_running -= 1
        if p in mine.waiting:
            mine.waiting.remove(p)

    def queued(self, rq):
        return list(rq.of[self.rank].waiting)

    def wakeup_preempt(self, rq, p, flags):
        if p.se.deadline_ns < rq.curr.se.deadline_ns:
            rq.need_resched = True

    def pick_next_task(self, rq):
        mine = rq.of[self.rank]
        if not mine.waiting:
            return None
        p = min(mine.waiting, key=lambda each: each.se.deadline_ns)
        self.set_next_task(rq, p)
        return p

    def set_next_task(self, rq, p):
        mine = rq.of[self.rank]
        mine.waiting.remove(p)
        p.exec_start_ns = rq.clock_ns
        data = (p.se.deadline_ns,)
        mine.timer = rq.timers.arm(rq.clock_ns + mine.longest_ns, self.rank, OVERRUN, data)

    def put_prev_task(self, rq, p):
        mine = rq.of[self.rank]
        rq.timers.cancel(mine.timer)
        if p.on_rq:
            mine.waiting.append(p)

    def timer(self, rq, at_ns, key, data):
        assert (key, data) == (OVERRUN, (rq.curr.se.deadline_ns,))
        rq.curr.se.deadline_ns = at_ns + rq.curr.se.relative_ns
        rq.need_resched = True

    def pushable_task(self, rq, p, dst):
        allowed = p.cpus_allowed is None or dst in p.cpus_allowed
        return p if p is not rq.curr and allowed else None

    def update_curr(self, rq):
        rq.curr.sum_exec_ns += rq.clock_ns - rq.curr.exec_start_ns
        rq.curr.exec_start_ns = rq.clock_ns
