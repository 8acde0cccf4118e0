"""What makes a scheduling class of an ``ExtScheduler``: dispatch queues, slices, the watchdog.

A CPU's queue has the scheduler's object for it. The local DSQ is what the CPU runs from; when it is
empty, the global one is looked at, then ``dispatch`` is asked, and at last the task that ran goes
on. Who waits longer than the watchdog allows ends the run (``kernel.errors.SchedStalled``).

Source: kernel/sched/ext.c (balance_one, do_enqueue_task, put_prev_task_scx, check_rq_for_timeouts).
"""

from typing import TYPE_CHECKING, Any

from kernel.errors import SchedStalled
from kernel.sched.ext import (
    SCX_DSQ_LOCAL,
    SCX_SLICE_INF,
    ExtScheduler,
    ExtTask,
)
from kernel.sched.sched_class import (
    DEQUEUE_SLEEP,
    ENQUEUE_HEAD,
    ENQUEUE_WAKEUP,
    FAIR_RANK,
    SchedClass,
)
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq
    from kernel.smp.smp_class import SmpClass
from kernel.sched.ext_rq import (
    AWAY,
    HELD,
    LEAVES,
    PREV,
    RUNS,
    ExtEntity,
    ExtRq,
)


class ExtClass(SchedClass):
    """The scheduling class of a scheduler: one object of ``make`` for each CPU."""

    __slots__ = ("make", "seeds")

    def __init__(self, make: type[ExtScheduler], half: "SmpClass") -> None:
        name = make.name or make.__name__.lower()
        super().__init__(name, tunables=make.Tunables, title=make.title or name, half=half)
        self.make = make

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> ExtRq:
        """Make the CPU's object; it begins when the queue is first used, and knows its CPU."""
        queue = ExtRq(self.make(), tunables, spec)
        queue.sched.nr_cpus = spec.cpus
        queue.sched._random = spec.seed
        return queue

    def make_entity(self) -> ExtEntity:
        """A whole slice, virtual time 0."""
        return ExtEntity()

    def _rq(self, rq: "Rq") -> ExtRq:
        ext: ExtRq = rq.of[FAIR_RANK]
        if ext.rq is None:
            ext.rq, ext.cpu = rq, rq.cpu
            sched = ext.sched
            sched.begin(ext, None, sched.nr_cpus, sched._random, ext.restored)
        return ext

    # -- on and off the queue -----------------------------------------------------------------

    def enqueue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Source: kernel/sched/ext.c:enqueue_task_scx()."""
        ext = self._rq(rq)
        se: ExtEntity = p.se
        view = se.view = ExtTask(p)
        ext.views[view] = None
        ext.nr_running += 1
        self._know(ext, se, view)
        ext.sched.runnable(view, flags & ENQUEUE_WAKEUP)
        if se.arrives:  # a DSQ, or another CPU's scheduler, has sent it to the local one
            se.arrives = False
            ext.dsqs[SCX_DSQ_LOCAL].add(view, None, False)
            view.where = SCX_DSQ_LOCAL
        else:
            ext.enqueue(view, flags & (ENQUEUE_WAKEUP | ENQUEUE_HEAD))
        ext.watch()

    def dequeue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Source: kernel/sched/ext.c:dequeue_task_scx()."""
        ext = self._rq(rq)
        view: ExtTask = p.se.view
        deq_flags = flags & DEQUEUE_SLEEP
        if view is ext.curr:
            self._stop(rq, ext, view, False)
        else:
            ext.take_out(view, deq_flags)
        ext.sched.quiescent(view, deq_flags)
        del ext.views[view]
        ext.nr_running -= 1
        view.end()
        p.se.view = None
        ext.watch()

    def queued(self, rq: "Rq") -> "list[CpuTask]":
        """Return who waits: first who may leave."""
        return [view.task for view in self._rq(rq).waiting()]

    # -- who runs -----------------------------------------------------------------------------

    def pick_next_task(self, rq: "Rq") -> "CpuTask | None":
        """Source: kernel/sched/ext.c:balance_one(), pick_task_scx()."""
        ext = self._rq(rq)
        if not ext.nr_running:
            return None
        ext.fill_local()
        local = ext.dsqs[SCX_DSQ_LOCAL].order
        if not local:
            ext.watch()
            return None
        view = local.pop(0)[2]
        self._run(rq, ext, view)
        return view.task

    def _run(self, rq: "Rq", ext: ExtRq, view: ExtTask) -> None:
        view.where = RUNS
        ext.curr = view
        p = view.task
        p.exec_start_ns = rq.clock_ns
        ext.sched.running(view)
        ext.watch()

    def _stop(self, rq: "Rq", ext: ExtRq, view: ExtTask, runnable: bool) -> None:
        self.update_curr(rq)
        ext.sched.stopping(view, runnable)
        ext.curr = None
        view.where = AWAY

    def put_prev_task(self, rq: "Rq", p: "CpuTask") -> None:
        """Source: kernel/sched/ext.c:put_prev_task_scx()."""
        ext = self._rq(rq)
        view = ext.curr
        if view is None or view.task is not p:
            return  # it sleeps: dequeue_task() has seen to it
        self._stop(rq, ext, view, True)
        if p.se.slice_ns:
            ext.to_head(view)
        else:
            view.where = PREV
            ext.prev = view
        ext.watch()

    def set_next_task(self, rq: "Rq", p: "CpuTask") -> None:
        """Source: kernel/sched/ext.c:set_next_task_scx()."""
        ext = self._rq(rq)
        ext.take_out(p.se.view, 0)
        self._run(rq, ext, p.se.view)

    def yield_task(self, rq: "Rq") -> None:
        """Source: kernel/sched/ext.c:yield_task_scx()."""
        rq.curr.se.slice_ns = 0

    def task_tick(self, rq: "Rq", p: "CpuTask") -> None:
        """Source: kernel/sched/ext.c:task_tick_scx()."""
        self.update_curr(rq)
        ext = self._rq(rq)
        if ext.curr is not None:
            ext.sched.tick(ext.curr)
        if not p.se.slice_ns:
            rq.need_resched = True

    def update_curr(self, rq: "Rq") -> None:
        """Source: kernel/sched/ext.c:update_curr_scx()."""
        p = rq.curr
        delta_ns = rq.clock_ns - p.exec_start_ns
        if delta_ns <= 0:
            return
        p.exec_start_ns = rq.clock_ns
        p.sum_exec_ns += delta_ns
        se: ExtEntity = p.se
        if se.slice_ns != SCX_SLICE_INF:
            se.slice_ns = max(se.slice_ns - delta_ns, 0)

    # -- the life of a task -------------------------------------------------------------------

    def _know(self, ext: ExtRq, se: ExtEntity, view: ExtTask) -> None:
        """Source: kernel/sched/ext.c:scx_init_task(), scx_enable_task()."""
        if not se.known:
            se.known = True
            ext.sched.init_task(view)
        if not se.enabled:
            se.enabled = True
            ext.sched.enable(view)

    def task_dead(self, rq: "Rq", p: "CpuTask") -> None:
        """Source: kernel/sched/ext.c:sched_ext_free()."""
        ext = self._rq(rq)
        view = ExtTask(p)
        self._disable(ext, p.se, view)
        ext.sched.exit_task(view)
        view.end()

    def switched_from(self, rq: "Rq", p: "CpuTask") -> None:
        """Source: kernel/sched/ext.c:switched_from_scx()."""
        self._disable(self._rq(rq), p.se, p.se.view or ExtTask(p))

    def _disable(self, ext: ExtRq, se: ExtEntity, view: ExtTask) -> None:
        if se.enabled:
            se.enabled = False
            ext.sched.disable(view)

    def switched_to(self, rq: "Rq", p: "CpuTask") -> None:
        """It is enabled when it is queued. Source: kernel/sched/ext.c:switching_to_scx()."""
        if p.on_rq:
            rq.need_resched = True

    def reweight_task(self, rq: "Rq", p: "CpuTask") -> None:
        """Source: kernel/sched/ext.c:reweight_task_scx()."""
        view = p.se.view
        self._rq(rq).sched.set_weight(view, view.weight)

    def timer(self, rq: "Rq", at_ns: int, key: int, data: tuple[int, ...]) -> None:
        """The watchdog looks who waits.

        Raises:
            SchedStalled: somebody has waited for too long.

        Source: kernel/sched/ext.c:check_rq_for_timeouts().
        """
        ext = self._rq(rq)
        ext.timer = 0
        oldest = min(ext.waiting(), key=lambda view: view.task.enqueued_at_ns, default=None)
        if oldest is None:
            return
        limit_ns, since_ns = ext.sched.tunables.watchdog_ns, oldest.task.enqueued_at_ns
        if rq.clock_ns - since_ns >= limit_ns:
            raise SchedStalled(
                f"the scheduler {self.name} stalls: {oldest.comm}[{oldest.pid}] has been runnable "
                f"on cpu {rq.cpu} since {since_ns / NSEC_PER_SEC:.6f} s and has not run for "
                f"{limit_ns / NSEC_PER_SEC:g} s (sched.watchdog)"
            )
        ext.timer = rq.timers.arm(since_ns + limit_ns, FAIR_RANK)

    # -- between CPUs -------------------------------------------------------------------------

    def detach_one(self, rq: "Rq", dst: int) -> "CpuTask | None":
        """Return the first of the shared DSQs, or in custody, that ``dst`` takes from there.

        Source: kernel/sched/ext.c:consume_dispatch_q(), consume_remote_task().
        """
        ext = self._rq(rq)
        for view in ext.waiting():
            shared = view.where >= 0 and view.where != SCX_DSQ_LOCAL
            if (shared or view.where == HELD) and (dst < 0 or view.allowed(dst)):
                view.task.se.arrives = shared  # what is in custody is enqueued there anew
                return view.task
        return None

    def check(self, rq: "Rq", found: list[str]) -> None:
        """Every runnable task runs or waits, in one place."""
        ext = self._rq(rq)
        waiting = list(ext.waiting())
        if len(waiting) + (ext.curr is not None) != len(ext.views):
            found.append(f"cpu {rq.cpu}: {self.name} has lost a task, or has one twice")
        if ext.nr_running != len(ext.views):
            found.append(f"cpu {rq.cpu}: {self.name} counts {ext.nr_running} of {len(ext.views)}")
        found.extend(
            f"cpu {rq.cpu}: {view!r} may not run here, and waits"
            for view in ext.views
            if not view.allowed(rq.cpu) and view.task is not rq.curr and view.where != LEAVES
        )
