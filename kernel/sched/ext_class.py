"""What makes a scheduling class of an ``ExtScheduler``: dispatch queues, slices, the watchdog.

A CPU's queue has the scheduler's object for it. The local DSQ is what the CPU runs from; when it is
empty, the global one is looked at, then ``dispatch`` is asked, and at last the task that ran goes
on. Who waits longer than the watchdog allows ends the run (``kernel.errors.SchedStalled``).

Source: kernel/sched/ext.c (balance_one, do_enqueue_task, put_prev_task_scx, check_rq_for_timeouts).
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import SchedStalled
from kernel.sched.ext import (
    SCX_DSQ_GLOBAL,
    SCX_DSQ_INVALID,
    SCX_DSQ_LOCAL,
    SCX_DSQ_LOCAL_CPU_MASK,
    SCX_ENQ_HEAD,
    SCX_ENQ_PREEMPT,
    SCX_KICK_PREEMPT,
    SCX_SLICE_DFL,
    SCX_SLICE_INF,
    ExtError,
    ExtScheduler,
    ExtTask,
)
from kernel.sched.sched_class import (
    DEQUEUE_SLEEP,
    ENQUEUE_HEAD,
    ENQUEUE_WAKEUP,
    FAIR_RANK,
    ClassRq,
    Entity,
    SchedClass,
)
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq
    from kernel.smp.smp_class import SmpClass

# where a task is, if in no DSQ; no numbers of DSQs
_AWAY: Final = -1
_RUNS: Final = -2
_HELD: Final = -3  # in the scheduler's custody
_PREV: Final = -4  # it ran, its slice is over, and nobody has been asked yet
_LEAVES: Final = -5  # on its way to another CPU's local DSQ

SCX_DSP_MAX_LOOPS: Final = 32


class ExtEntity(Entity):
    """What travels with a task. ``arrives``: it goes into the local DSQ of the CPU it comes to."""

    __slots__ = ("arrives", "enabled", "known", "own", "slice_ns", "view", "vtime")

    def __init__(self) -> None:
        self.slice_ns = SCX_SLICE_DFL
        self.vtime = 0
        self.arrives = False
        self.known = False  # init_task() has been called
        self.enabled = False
        self.own: dict[str, Any] = {}
        self.view: ExtTask | None = None

    def pack(self) -> list[Any]:
        """``slice_ns`` may be greater than a signed number of 64 bits."""
        own = [[key, value] for key, value in self.own.items()]
        return [self.slice_ns, self.vtime, self.arrives, self.known, self.enabled, own]

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""
        self.slice_ns, self.vtime, self.arrives, self.known, self.enabled, own = data
        self.own = dict(own)


class Dsq:
    """A dispatch queue, or a CPU's part of one: its tasks in their order."""

    __slots__ = ("by_vtime", "order", "seq")

    def __init__(self) -> None:
        self.order: list[tuple[int, int, ExtTask]] = []
        self.seq = 0
        self.by_vtime = False

    def add(self, p: ExtTask, vtime: int | None, head: bool) -> None:
        """Put ``p`` in its place. Raises: ExtError, arrival and virtual time in one queue."""
        if self.order and self.by_vtime is (vtime is None):
            kind = "virtual time" if self.by_vtime else "arrival"
            raise ExtError(f"the DSQ has tasks in order of {kind} already")
        self.by_vtime = vtime is not None
        self.seq += 1
        p.key = (vtime or 0, -self.seq if head else self.seq)
        insort(self.order, (*p.key, p))

    def remove(self, p: ExtTask) -> None:
        """Take ``p`` out."""
        place = bisect_left(self.order, p.key, key=_key)
        if self.order[place][2] is not p:
            raise AssertionError(f"{p!r} is not where it was put")
        del self.order[place]


def _key(entry: tuple[int, int, ExtTask]) -> tuple[int, int]:
    return entry[:2]


class ExtRq(ClassRq):
    """One CPU's scheduler: its object, its DSQs, its runnable tasks."""

    __slots__ = (
        "cpu",
        "curr",
        "dispatched",
        "dsqs",
        "prev",
        "restored",
        "rq",
        "sched",
        "timer",
        "views",
    )

    def __init__(self, sched: ExtScheduler, tunables: Any, spec: "MachineSpec") -> None:
        super().__init__()
        self.sched = sched
        self.dsqs: dict[int, Dsq] = {SCX_DSQ_LOCAL: Dsq(), SCX_DSQ_GLOBAL: Dsq()}
        self.views: dict[ExtTask, None] = {}  # runnable, the longest so first
        self.curr: ExtTask | None = None
        self.prev: ExtTask | None = None
        self.timer = 0  # of the watchdog
        self.dispatched = 0  # tasks inserted or moved since the last look
        self.rq: Rq = None  # type: ignore[assignment]  # known when it is first used
        self.cpu = -1
        self.restored = False  # it was packed after its scheduler had begun
        sched.tunables = tunables

    # -- DSQs ---------------------------------------------------------------------------------

    def create_dsq(self, dsq: int) -> None:
        """See ``ExtScheduler.create_dsq``."""
        if type(dsq) is not int or not 0 <= dsq < SCX_DSQ_INVALID or dsq in self.dsqs:
            raise ExtError(f"a DSQ cannot be called {dsq!r}: taken, reserved, or no number")
        self.dsqs[dsq] = Dsq()

    def dsq(self, dsq: int) -> Dsq:
        """Return a DSQ. Raises: ExtError, there is none of that number."""
        found = self.dsqs.get(dsq)
        if found is None:
            raise ExtError(f"there is no DSQ {dsq!r}")
        return found

    def insert(
        self, p: ExtTask, dsq: int, slice_ns: int, vtime: int | None, enq_flags: int
    ) -> None:
        """See ``ExtScheduler.dsq_insert``."""
        if p.gone or p.where != _HELD:
            return  # it was taken from the scheduler meanwhile: finish_dispatch() does the same
        task = p.task
        dest = self.cpu
        local_on = type(dsq) is int and dsq >> 62 == 3
        if local_on:
            dest = dsq & SCX_DSQ_LOCAL_CPU_MASK
            if dest >= self.sched.nr_cpus:
                raise ExtError(f"there is no CPU {dest}")
            if not p.allowed(dest):
                raise ExtError(f"{p!r} may not run on CPU {dest}")
            dsq = SCX_DSQ_LOCAL
        if vtime is not None and dsq >= SCX_DSQ_INVALID:
            raise ExtError("a DSQ that is not one's own has no order of virtual time")
        queue = self.dsq(dsq)
        if slice_ns:
            task.se.slice_ns = min(slice_ns, SCX_SLICE_INF)
        if vtime is not None:
            task.se.vtime = vtime
        self.dispatched += 1
        if dest != self.cpu:
            p.where = _LEAVES
            task.se.arrives = True
            self.rq.moves.append((task, dest))
            self.rq.need_resched = True
            return
        queue.add(p, vtime, bool(enq_flags & SCX_ENQ_HEAD))
        p.where = dsq
        if enq_flags & SCX_ENQ_PREEMPT and dsq == SCX_DSQ_LOCAL:
            self.kick(self.cpu, SCX_KICK_PREEMPT)

    def move_to_local(self, dsq: int) -> bool:
        """See ``ExtScheduler.dsq_move_to_local``."""
        order = self.dsq(dsq).order
        if not order:
            return False
        p = order.pop(0)[2]
        self.dsqs[SCX_DSQ_LOCAL].add(p, None, False)
        p.where = SCX_DSQ_LOCAL
        self.dispatched += 1
        return True

    def kick(self, cpu: int, flags: int) -> None:
        """See ``ExtScheduler.kick_cpu``."""
        if cpu != self.cpu:
            raise ExtError(f"CPU {self.cpu} cannot kick CPU {cpu}: a CPU's queue is its own")
        if flags & SCX_KICK_PREEMPT and self.curr is not None:
            self.curr.slice = 0
        self.rq.need_resched = True

    # -- states of tasks ----------------------------------------------------------------------

    def enqueue(self, p: ExtTask, enq_flags: int) -> None:
        """Let the scheduler say where ``p`` waits. Source: ext.c:do_enqueue_task()."""
        p.where = _HELD
        self.sched.enqueue(p, enq_flags)

    def take_out(self, p: ExtTask, deq_flags: int) -> None:
        """``p`` does not wait any more, wherever it did. Source: ext.c:ops_dequeue()."""
        where = p.where
        if where == _HELD:
            self.sched.dequeue(p, deq_flags)
        elif where == _PREV:
            self.prev = None
        elif where == _LEAVES:
            self.rq.moves = [each for each in self.rq.moves if each[0] is not p.task]
        elif where >= 0:
            self.dsqs[where].remove(p)
        p.where = _AWAY

    def to_head(self, p: ExtTask) -> None:
        """``p`` has some slice left: it is the next to run here."""
        self.dsqs[SCX_DSQ_LOCAL].add(p, None, True)
        p.where = SCX_DSQ_LOCAL

    def fill_local(self) -> None:
        """See that the local DSQ has a task, if any is to be had. Source: ext.c:balance_one()."""
        local = self.dsqs[SCX_DSQ_LOCAL].order
        prev = self.prev
        if not local and not self.move_to_local(SCX_DSQ_GLOBAL):
            for _ in range(SCX_DSP_MAX_LOOPS):
                self.dispatched = 0
                self.sched.dispatch(self.cpu, prev)
                if prev is not None and not prev.gone and prev.slice:
                    break
                if local or self.move_to_local(SCX_DSQ_GLOBAL) or not self.dispatched:
                    break
        if prev is None or self.prev is not prev:
            return
        self.prev = None
        if prev.slice or not local:  # the scheduler lets it go on, or nobody else is there
            prev.slice = prev.slice or SCX_SLICE_DFL
            self.to_head(prev)
        else:
            self.enqueue(prev, 0)

    def waiting(self) -> "Iterator[ExtTask]":
        """Yield who waits, the global DSQ and one's own first, then the local one."""
        if self.prev is not None:
            yield self.prev
        for number, queue in self.dsqs.items():
            if number != SCX_DSQ_LOCAL:
                for entry in queue.order:
                    yield entry[2]
        for entry in self.dsqs[SCX_DSQ_LOCAL].order:
            yield entry[2]
        for p in self.views:
            if p.where in (_HELD, _LEAVES):
                yield p

    def watch(self) -> None:
        """Have the watchdog's timer armed while somebody waits."""
        if self.nr_running > (self.curr is not None):
            if not self.timer:
                at_ns = self.rq.clock_ns + self.sched.tunables.watchdog_ns
                self.timer = self.rq.timers.arm(at_ns, FAIR_RANK)
        elif self.timer:
            self.rq.timers.cancel(self.timer)
            self.timer = 0

    # -- setting down -------------------------------------------------------------------------

    def pack(self) -> list[Any]:
        """Tasks by pid, with where each is."""
        return [
            [[p.pid, p.where, p.key] for p in self.views],
            [[number, queue.seq, queue.by_vtime] for number, queue in self.dsqs.items()],
            self.timer,
            self.restored or self.rq is not None,
            self.sched.pack(),
        ]

    def unpack(self, data: Sequence[Any], tasks: "Mapping[int, CpuTask]") -> None:
        """Take what ``pack`` returned."""
        views, queues, self.timer, self.restored, sched = data
        self.dsqs = {}
        for number, seq, by_vtime in queues:
            queue = self.dsqs[number] = Dsq()
            queue.seq, queue.by_vtime = seq, by_vtime
        by_pid = {}
        for pid, where, key in views:
            p = by_pid[pid] = tasks[pid].se.view = ExtTask(tasks[pid])
            p.where, p.key = where, tuple(key)
            self.views[p] = None
            if where >= 0:
                insort(self.dsqs[where].order, (*p.key, p))
            elif where == _RUNS:
                self.curr = p
            elif where == _PREV:
                self.prev = p
        self.nr_running = len(self.views)
        self.sched.unpack(sched, by_pid)


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
        view.where = _RUNS
        ext.curr = view
        p = view.task
        p.exec_start_ns = rq.clock_ns
        ext.sched.running(view)
        ext.watch()

    def _stop(self, rq: "Rq", ext: ExtRq, view: ExtTask, runnable: bool) -> None:
        self.update_curr(rq)
        ext.sched.stopping(view, runnable)
        ext.curr = None
        view.where = _AWAY

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
            view.where = _PREV
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
            if (shared or view.where == _HELD) and (dst < 0 or view.allowed(dst)):
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
            if not view.allowed(rq.cpu) and view.task is not rq.curr and view.where != _LEAVES
        )
