"""What the deadline class keeps: its part of a task, and its queue of a CPU.

Source: include/linux/sched.h (struct sched_dl_entity), kernel/sched/sched.h (struct dl_rq).
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.rt_rq import RtTunables
from kernel.sched.sched_class import ClassRq, Entity
from kernel.sched.tunables import make_tunables

if TYPE_CHECKING:
    from kernel.machine import MachineSpec

_DL_SCALE: Final = 10  # bits that the overflow test leaves out
BW_SHIFT: Final = 20
RATIO_SHIFT: Final = 8


def to_ratio(period_ns: int, runtime_ns: int) -> int:
    """Return runtime / period in units of 2^-20. Source: kernel/sched/core.c:to_ratio()."""
    return (runtime_ns << BW_SHIFT) // period_ns


class DlEntity(Entity):
    """The class's part of a task (``struct sched_dl_entity``): parameters, then where it stands.

    ``runtime`` is what is left of the budget, ``deadline`` absolute; both in ns. ``here`` and
    ``active``: its share ``bw`` is in the sums of its CPU (``DlRq``).
    """

    __slots__ = (
        "active",
        "bw",
        "deadline",
        "dl_deadline",
        "dl_period",
        "dl_runtime",
        "flags",
        "here",
        "inactive",
        "runtime",
        "seq",
        "slot",
        "throttled",
        "timer",
        "yielded",
    )

    def __init__(self) -> None:
        self.dl_runtime = 0
        self.dl_deadline = 0
        self.dl_period = 0
        self.bw = 0  # of runtime and period, in units of 2^-20
        self.here = False
        self.active = False
        self.inactive = 0  # number of the timer of its zero-lag time, 0 for none
        self.flags = 0  # SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN
        self.runtime = 0
        self.deadline = 0
        self.throttled = False
        self.yielded = False
        self.seq = 0  # its place among equal deadlines; 0: it is not in the queue
        self.timer = 0  # number of the timer that replenishes it, 0 for none
        self.slot = 0  # with it: what the timer finds the task by

    def pack(self) -> list[Any]:
        """Return all of it; queue and timer are the CPU's, and are made anew on another."""
        return [
            self.dl_runtime,
            self.dl_deadline,
            self.dl_period,
            self.bw,
            self.here,
            self.active,
            self.inactive,
            self.flags,
            self.runtime,
            self.deadline,
            self.throttled,
            self.yielded,
            self.seq,
            self.timer,
            self.slot,
        ]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        (
            self.dl_runtime,
            self.dl_deadline,
            self.dl_period,
            self.bw,
            self.here,
            self.active,
            self.inactive,
            self.flags,
            self.runtime,
            self.deadline,
            self.throttled,
            self.yielded,
            self.seq,
            self.timer,
            self.slot,
        ) = data

    def set_params(self, own: tuple[int, ...]) -> None:
        """Source: kernel/sched/deadline.c:__setparam_dl()."""
        self.dl_runtime, self.dl_deadline, self.dl_period, self.flags = own
        self.bw = to_ratio(self.dl_period, self.dl_runtime)

    def next_period(self) -> int:
        """Return when the next budget is due. Source: kernel/sched/deadline.c:dl_next_period()."""
        return self.deadline - self.dl_deadline + self.dl_period

    def begin(self, now_ns: int) -> None:
        """Begin a period. Source: kernel/sched/deadline.c:replenish_dl_new_period()."""
        self.deadline = now_ns + self.dl_deadline
        self.runtime = self.dl_runtime

    def replenish(self, now_ns: int) -> None:
        """Give a throttled task its next budget; what it overran is taken from that.

        Source: kernel/sched/deadline.c:replenish_dl_entity().
        """
        if self.yielded and self.runtime > 0:
            self.runtime = 0
        while self.runtime <= 0:
            self.deadline += self.dl_period
            self.runtime += self.dl_runtime
        if self.deadline < now_ns:
            self.begin(now_ns)
        self.yielded = False
        self.throttled = False

    def overflows(self, now_ns: int) -> bool:
        """Tell whether what is left, used up by the deadline, would be more than its share.

        Source: kernel/sched/deadline.c:dl_entity_overflow().
        """
        left = (self.dl_deadline >> _DL_SCALE) * (self.runtime >> _DL_SCALE)
        right = ((self.deadline - now_ns) >> _DL_SCALE) * (self.dl_runtime >> _DL_SCALE)
        return right < left

    def wake(self, now_ns: int) -> None:
        """Keep budget and deadline if that is fair to the others, else begin anew.

        Source: kernel/sched/deadline.c:update_dl_entity(), update_dl_revised_wakeup().
        """
        if self.deadline < now_ns or not self.deadline:
            self.begin(now_ns)
        elif self.overflows(now_ns):
            if self.dl_deadline == self.dl_period:
                self.begin(now_ns)
            else:
                density = (self.dl_runtime << BW_SHIFT) // self.dl_deadline
                self.runtime = (density * (self.deadline - now_ns)) >> BW_SHIFT


class DlRq(ClassRq):
    """The queue of the class (``dl_rq``). ``nr_running`` counts throttled tasks, too.

    Bandwidths, in units of 2^-20: ``this_bw`` of the tasks that have this CPU, asleep or not;
    ``running_bw`` of those that are active, which one that sleeps is until its zero-lag time;
    ``extra_bw``: this CPU's part of what nobody has; ``server_bw``: of the fair server, which is in
    neither.
    """

    __slots__ = (
        "budget_timer",
        "bw_ratio",
        "extra_bw",
        "inactive",
        "max_bw",
        "running_bw",
        "seq",
        "server_bw",
        "tasks",
        "this_bw",
        "throttled",
        "waiting",
    )

    def __init__(self, spec: "MachineSpec") -> None:
        super().__init__()
        rt: RtTunables = make_tunables(RtTunables, spec.sched_tunables.get("rt"), spec.linux)
        bound = rt.runtime_ns >= 0
        # Source: kernel/sched/deadline.c:init_dl_rq_bw_ratio()
        self.max_bw = to_ratio(rt.period_ns, rt.runtime_ns) if bound else 1 << BW_SHIFT
        self.bw_ratio = 1 << RATIO_SHIFT
        if bound:
            self.bw_ratio = to_ratio(rt.runtime_ns, rt.period_ns) >> BW_SHIFT - RATIO_SHIFT
        self.server_bw = to_ratio(rt.fair_server_period_ns, rt.fair_server_runtime_ns)
        self.extra_bw = self.max_bw - self.server_bw
        self.this_bw = 0
        self.running_bw = 0
        self.inactive: dict[int, CpuTask] = {}  # by ``slot``: asleep, and still active
        # (deadline, seq), sorted; the current one among them, throttled ones are not
        self.waiting: list[tuple[int, int]] = []
        self.tasks: dict[int, CpuTask] = {}  # by seq, those in ``waiting``
        self.throttled: dict[int, CpuTask] = {}  # by ``slot``: they have a timer
        self.seq = 0
        self.budget_timer = 0  # ends the budget of the one that runs; 0 for none

    def pack(self) -> list[Any]:
        """Return who waits for the CPU, and who for a new budget."""
        return [
            self.nr_running,
            list(self.waiting),
            [[seq, p.pid] for seq, p in self.tasks.items()],
            [[slot, p.pid] for slot, p in self.throttled.items()],
            self.seq,
            self.budget_timer,
            [self.this_bw, self.running_bw, self.extra_bw],
            [[slot, p.pid] for slot, p in self.inactive.items()],
        ]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> None:
        """Take what ``pack`` returned."""
        self.nr_running, waiting, queued, throttled, self.seq, self.budget_timer, *bw = data
        (self.this_bw, self.running_bw, self.extra_bw), inactive = bw
        self.inactive = {slot: tasks[pid] for slot, pid in inactive}
        self.waiting = [(deadline, seq) for deadline, seq in waiting]
        self.tasks = {seq: tasks[pid] for seq, pid in queued}
        self.throttled = {slot: tasks[pid] for slot, pid in throttled}

    def first(self) -> CpuTask | None:
        """Return the task with the earliest deadline, None if there is none to run."""
        return self.tasks[self.waiting[0][1]] if self.waiting else None

    def link(self, p: CpuTask) -> None:
        """Queue ``p`` behind those of its deadline. Source: deadline.c:__enqueue_dl_entity()."""
        se: DlEntity = p.se
        self.seq += 1
        se.seq = self.seq
        self.tasks[se.seq] = p
        insort(self.waiting, (se.deadline, se.seq))

    def unlink(self, p: CpuTask) -> None:
        """Take ``p`` off the queue. Source: kernel/sched/deadline.c:__dequeue_dl_entity()."""
        se: DlEntity = p.se
        del self.waiting[bisect_left(self.waiting, (se.deadline, se.seq))]
        del self.tasks[se.seq]
        se.seq = 0
