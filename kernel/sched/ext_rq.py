"""The queue of a class that is made of an ``ExtScheduler``: dispatch queues, and who is where.

``kernel.sched.ext_class`` has the theory and the operations of the class, which are made of these.

Source: kernel/sched/ext.c.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

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
    FAIR_RANK,
    ClassRq,
    Entity,
)

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq

# where a task is, if in no DSQ; no numbers of DSQs
AWAY: Final = -1
RUNS: Final = -2
HELD: Final = -3  # in the scheduler's custody
PREV: Final = -4  # it ran, its slice is over, and nobody has been asked yet
LEAVES: Final = -5  # on its way to another CPU's local DSQ

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
        "enqueuing",
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
        self.enqueuing: ExtTask | None = None  # the scheduler is asked where this one waits
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
        """See ``ExtScheduler.dsq_insert``. Source: mark_direct_dispatch(), finish_dispatch()."""
        asked = self.enqueuing
        if asked is not None:
            if p is not asked:
                raise ExtError(f"enqueue of {asked!r} inserts {p!r}: only dispatch may")
            if p.where != HELD:
                raise ExtError(f"{p!r} has been inserted already")
        if p._p is None or p.where != HELD:
            return  # somebody else has got it meanwhile
        task = p._p
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
            p.where = LEAVES
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
        p.where = HELD
        self.enqueuing = p
        self.sched.enqueue(p, enq_flags)
        self.enqueuing = None

    def take_out(self, p: ExtTask, deq_flags: int) -> None:
        """``p`` does not wait any more, wherever it did. Source: ext.c:ops_dequeue()."""
        where = p.where
        if where == HELD:
            self.sched.dequeue(p, deq_flags)
        elif where == PREV:
            self.prev = None
        elif where == LEAVES:
            self.rq.moves = [each for each in self.rq.moves if each[0] is not p.task]
        elif where >= 0:
            self.dsqs[where].remove(p)
        p.where = AWAY

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
            if p.where in (HELD, LEAVES):
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
            elif where == RUNS:
                self.curr = p
            elif where == PREV:
                self.prev = p
        self.nr_running = len(self.views)
        self.sched.unpack(sched, by_pid)
