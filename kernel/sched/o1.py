"""The fair class ``o1``: the O(1) scheduler of Linux 2.6.0 to 2.6.22, as it was in 2.6.11.

A queue has two arrays of 140 lists, one list a priority, with a bitmap of those that are not empty.
The first task of the highest list of the *active* array runs until its slice is used up; then it
goes to the *expired* array with a new slice. When the active array is empty the two change places.
Nothing here depends on how many tasks there are.

A slice follows from nice: 800 ms at -20, 100 ms at 0, 5 ms at 19. The priority is nice less a bonus
of -5 to 5 for what the task slept of late (``sleep_avg``, at most a second). One whose bonus is
high enough is interactive: after its slice it goes back to the active array, unless the expired
ones have waited too long, and within the slice it takes turns with its equals. A child gets half of
what its parent has left of its slice, which comes back if it dies before it has used it up. One
that dies with a lower average than its parent takes a quarter of the difference from it.

Deviation: SCHED_BATCH and SCHED_IDLE came later. Here a batch task gets no bonus (as in 2.6.16),
and an idle one neither, with the slice of nice 19.
Deviation: a wakeup by an interrupt is treated as one by a process (``activated`` 1, never 2), and a
kernel thread as any other task. A dead child counts for a parent on its CPU only, and when it dies,
not when it is waited for.
Deviation: alone on its CPU a task gets no ticks (``kernel.cpu.cpu``), so its slice stands still.

Source: kernel/sched.c of Linux 2.6.11.
"""

from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.fair import FairSchedClass
from kernel.sched.fork_order import order_of
from kernel.sched.o1_rq import (
    EXIT_WEIGHT,
    MAX_PRIO,
    ON_RUNQUEUE_WEIGHT,
    O1Entity,
    O1Rq,
    O1Tunables,
    PrioArray,
    charge,
    check_arrays,
    current_bonus,
    effective_prio,
    expired_starving,
    recalc_task_prio,
    static_prio,
    task_interactive,
    task_timeslice,
    timeslice_granularity,
)
from kernel.sched.sched_class import (
    DEQUEUE_MOVE,
    DEQUEUE_SLEEP,
    DEQUEUE_UNINTERRUPTIBLE,
    ENQUEUE_INITIAL,
    ENQUEUE_MIGRATED,
    ENQUEUE_WAKEUP,
    FAIR_RANK,
)
from kernel.sched.weights import weight_of
from kernel.uapi.policy import FAIR_POLICIES

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq


class O1SchedClass(FairSchedClass):
    """The operations of the O(1) scheduler; see ``kernel.sched.sched_class.SchedClass``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("o1", FAIR_RANK, FAIR_POLICIES, O1Tunables, "O(1)", "2.6.11")
        self.fork_order = "unless_vm"  # before an exec nothing need be copied for the parent

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> O1Rq:
        """Return two empty arrays."""
        return O1Rq(tunables, spec.cpus, spec.hz, order_of(spec.child_runs_first, self))

    def make_entity(self) -> O1Entity:
        """Return an entity that has never slept."""
        return O1Entity()

    # -- on and off the queue -----------------------------------------------------------------

    def enqueue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """A task of another class has its static priority, one that is pulled what it had.

        Source: kernel/sched.c:activate_task(), wake_up_new_task(), pull_task(), setscheduler().
        """
        o1: O1Rq = rq.of[FAIR_RANK]
        se: O1Entity = p.se
        if se.time_slice <= 0:
            se.time_slice = task_timeslice(o1, p)
        if flags & ENQUEUE_WAKEUP:
            recalc_task_prio(o1, p, rq.clock_ns)
            if not se.activated:
                se.activated = 1
            se.timestamp_ns = rq.clock_ns
        elif flags & ENQUEUE_INITIAL:
            se.timestamp_ns = rq.clock_ns
            se.prio = effective_prio(o1, p)
            if o1.forked is not None and o1.forked[0] is p:
                o1.heirs[p] = o1.forked[1]
                o1.children.setdefault(o1.forked[1], {})[p] = None
        elif not flags & ENQUEUE_MIGRATED:
            se.prio = static_prio(p)
        o1.nr_running += 1
        o1.tasks[p] = None
        array = o1.expired if se.expired else o1.active
        se.expired = False
        if o1.placed is p:
            o1.placed = None
            _add_before_parent(o1, p)
        else:
            array.add(p)

    def dequeue_task(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched.c:deactivate_task(), dequeue_task()."""
        o1: O1Rq = rq.of[FAIR_RANK]
        se: O1Entity = p.se
        o1.nr_running -= 1
        del o1.tasks[p]
        expired = se.array is o1.expired
        _array_of(p).remove(p)
        if flags & DEQUEUE_SLEEP:
            if p is rq.curr:
                charge(o1, p, rq.clock_ns)
            se.activated = -1 if flags & DEQUEUE_UNINTERRUPTIBLE else 0
        elif flags & DEQUEUE_MOVE:
            se.expired = expired
            self.migrate_task_rq(rq, p)

    # -- who runs -----------------------------------------------------------------------------

    def pick_next_task(self, rq: "Rq") -> CpuTask | None:
        """Take the first of the highest list; change the arrays if the active one is empty.

        Source: kernel/sched.c:schedule().
        """
        o1: O1Rq = rq.of[FAIR_RANK]
        if not o1.nr_running:
            return None
        if not o1.active.nr_active:
            o1.active, o1.expired = o1.expired, o1.active
            o1.expired_since_ns = -1
            o1.best_expired_prio = MAX_PRIO
        p = o1.active.first()
        se: O1Entity = p.se
        now_ns = rq.clock_ns
        if se.activated > 0:
            # waiting for the CPU counts as sleep, by 30 per cent
            waited_ns = (now_ns - se.timestamp_ns) * (ON_RUNQUEUE_WEIGHT * 128 // 100) // 128
            o1.active.remove(p)
            recalc_task_prio(o1, p, se.timestamp_ns + waited_ns)
            o1.active.add(p)
        se.activated = 0
        se.timestamp_ns = now_ns
        p.exec_start_ns = now_ns
        o1.curr = p
        o1.tasks.move_to_end(p)
        return p

    def put_prev_task(self, rq: "Rq", p: CpuTask) -> None:
        """It stays where it is in its list. Source: kernel/sched.c:schedule(), its first half."""
        o1: O1Rq = rq.of[FAIR_RANK]
        if p.on_rq:
            charge(o1, p, rq.clock_ns)
        o1.curr = None

    def set_next_task(self, rq: "Rq", p: CpuTask) -> None:
        """``p`` goes on running, from now on in this class."""
        o1: O1Rq = rq.of[FAIR_RANK]
        se: O1Entity = p.se
        p.exec_start_ns = se.timestamp_ns = rq.clock_ns
        o1.curr = p
        o1.tasks.move_to_end(p)

    def wakeup_preempt(self, rq: "Rq", p: CpuTask, flags: int) -> None:
        """Source: kernel/sched.c:TASK_PREEMPTS_CURR()."""
        curr = rq.curr
        theirs: O1Entity = p.se
        mine: O1Entity = curr.se
        if p is not curr and theirs.prio < mine.prio:
            rq.need_resched = True

    def yield_task(self, rq: "Rq") -> None:
        """Go to the expired array: all that are active run first.

        Source: kernel/sched.c:sys_sched_yield().
        """
        o1: O1Rq = rq.of[FAIR_RANK]
        p = rq.curr
        _array_of(p).remove(p)
        o1.expired.add(p)

    def task_tick(self, rq: "Rq", p: CpuTask) -> None:
        """Count down the slice. Source: kernel/sched.c:scheduler_tick()."""
        o1: O1Rq = rq.of[FAIR_RANK]
        self.update_curr(rq)
        se: O1Entity = p.se
        if se.array is not o1.active:
            rq.need_resched = True
            return
        se.time_slice -= 1
        if se.time_slice > 0:
            if not task_interactive(p):  # as most that are met by a tick
                return
            step = timeslice_granularity(o1, se)
            used = task_timeslice(o1, p) - se.time_slice
            if not used % step and se.time_slice >= step:
                o1.active.requeue(p)
                rq.need_resched = True
            return
        o1.active.remove(p)
        rq.need_resched = True
        se.prio = effective_prio(o1, p)
        se.time_slice = task_timeslice(o1, p)
        se.first_time_slice = False
        if o1.expired_since_ns < 0:
            o1.expired_since_ns = rq.clock_ns
        if not task_interactive(p) or expired_starving(rq, o1):
            o1.expired.add(p)
            o1.best_expired_prio = min(o1.best_expired_prio, static_prio(p))
        else:
            o1.active.add(p)

    def update_curr(self, rq: "Rq") -> None:
        """Account for what the current task ran; 2.6.11 did so at the tick alone."""
        curr = rq.curr
        delta = rq.clock_ns - curr.exec_start_ns
        if delta > 0:
            curr.exec_start_ns = rq.clock_ns
            curr.sum_exec_ns += delta

    # -- the life of a task -------------------------------------------------------------------

    def task_fork(self, rq: "Rq", parent: CpuTask, child: CpuTask, flags: int) -> None:
        """Halve what the parent has left of its slice; the child gets the larger half.

        Source: kernel/sched.c:sched_fork(), wake_up_new_task().
        """
        o1: O1Rq = rq.of[FAIR_RANK]
        se: O1Entity = child.se
        o1.forked = o1.placed = None
        if parent.sched_class is not self:
            return
        mine: O1Entity = parent.se
        left = mine.time_slice
        se.time_slice = (left + 1) >> 1
        se.first_time_slice = True
        mine.time_slice = left >> 1
        if not mine.time_slice:
            mine.time_slice = 1
            if parent is rq.curr:
                self.task_tick(rq, parent)
        inherited = current_bonus(o1, mine) * o1.tunables.child_penalty // 100
        se.sleep_avg = inherited * o1.def_timeslice * o1.tick_ns
        # PARENT_PENALTY is 100 per cent, but of whole steps of the bonus
        mine.sleep_avg = current_bonus(o1, mine) * o1.def_timeslice * o1.tick_ns
        se.prio = effective_prio(o1, child)
        o1.forked = (child, parent)
        if o1.child_first >> flags & 1:
            o1.placed = child
            rq.need_resched = True

    def task_dead(self, rq: "Rq", p: CpuTask) -> None:
        """Give the parent what is left of the first slice; a hog costs it some of its average.

        Source: kernel/sched.c:sched_exit().
        """
        o1: O1Rq = rq.of[FAIR_RANK]
        _forget_parent(o1, p)
        parent = _forget_child(o1, p)
        if parent is None:
            return
        se: O1Entity = p.se
        theirs: O1Entity = parent.se
        if se.first_time_slice:
            theirs.time_slice = min(theirs.time_slice + se.time_slice, task_timeslice(o1, p))
        if se.sleep_avg < theirs.sleep_avg:
            share = EXIT_WEIGHT + 1
            theirs.sleep_avg = theirs.sleep_avg // share * EXIT_WEIGHT + se.sleep_avg // share

    def switched_from(self, rq: "Rq", p: CpuTask) -> None:
        """It is nobody's heir in another class."""
        self.migrate_task_rq(rq, p)

    def reweight_task(self, rq: "Rq", p: CpuTask) -> None:
        """Move ``p`` to the list of its new static priority: its bonus is forgotten for a while.

        Source: kernel/sched.c:set_user_nice(), whose ``prio += delta`` means just that.
        """
        se: O1Entity = p.se
        array = _array_of(p)
        array.remove(p)
        delta = static_prio(p) - se.prio
        se.prio = static_prio(p)
        array.add(p)
        if delta < 0 or (delta > 0 and rq.curr is p):
            rq.need_resched = True

    def prio_changed(self, rq: "Rq", p: CpuTask, old_nice: int) -> None:
        """``reweight_task`` has asked for a switch if one is due."""

    def task_load(self, p: CpuTask) -> int:
        """Return the weight of its nice value, as if 2.6.11 balanced by load and not by number."""
        return weight_of(p.nice, p.policy)

    # -- between CPUs -------------------------------------------------------------------------

    def migrate_task_rq(self, rq: "Rq", p: CpuTask) -> None:
        """It leaves: what was promised to a parent on this CPU, or by one, is void."""
        o1: O1Rq = rq.of[FAIR_RANK]
        _forget_child(o1, p)
        _forget_parent(o1, p)

    # -- checks -------------------------------------------------------------------------------

    def check(self, rq: "Rq", found: list[str]) -> None:
        """Counts, bitmaps, and that every task is in the list of its priority."""
        o1: O1Rq = rq.of[FAIR_RANK]
        check_arrays(o1, rq.cpu, found)
        self.check_curr(rq, o1.curr, found)


def _array_of(p: CpuTask) -> PrioArray:
    se: O1Entity = p.se
    array = se.array
    if array is None:
        raise AssertionError(f"{p!r} is in no array")
    return array


def _add_before_parent(o1: O1Rq, child: CpuTask) -> None:
    """Queue ``child`` where its parent stands, just before it, if that is on the queue.

    Source: kernel/sched.c:wake_up_new_task(), its list_add_tail().
    """
    parent = o1.heirs[child]
    if not parent.on_rq or parent not in o1.tasks:
        o1.active.add(child)
        return
    theirs: O1Entity = parent.se
    se: O1Entity = child.se
    se.prio = theirs.prio
    array = _array_of(parent)
    array.add(child)
    queue = array.queue[se.prio]
    order = list(queue)
    for p in order[order.index(parent) : -1]:
        queue.move_to_end(p)


def _forget_parent(o1: O1Rq, parent: CpuTask) -> None:
    """Children of ``parent`` have nobody any more whom the rest of their slice could go to."""
    for child in o1.children.pop(parent, ()):
        del o1.heirs[child]


def _forget_child(o1: O1Rq, child: CpuTask) -> CpuTask | None:
    """``child`` has no parent any more; return who was."""
    parent = o1.heirs.pop(child, None)
    if parent is not None:
        theirs = o1.children[parent]
        del theirs[child]
        if not theirs:
            del o1.children[parent]
    return parent


o1_sched_class: Final = O1SchedClass()
