"""What a scheduling class is: Linux's table of operations, and what a class keeps where.

``kernel.sched.core`` knows no policy. It asks the classes of a queue, highest first, for a task to
run, and tells the class of a task what happens to it. One file holds one class. A class object has
no state of its own: what it keeps about a CPU is its ``ClassRq`` (``rq.of[rank]``), what it keeps
about a task its ``Entity`` (``p.se``), and what can be configured its tunables
(``kernel.sched.tunables``). ``kernel.sched.classes`` has all classes, and says how to add one.

A class says here which task of a CPU runs. On which CPU a task waits, and which policies and
parameters a task may have, is decided by KernelState, which asks the class's other half
(``kernel.smp.smp_class``).

The base class is a whole class of operations that do nothing, as a NULL in Linux's table. A class
needs ``enqueue_task``, ``dequeue_task``, ``pick_next_task`` and ``queued``.

Source: kernel/sched/sched.h (struct sched_class, struct cfs_rq), include/linux/sched.h (struct
sched_entity).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mypy_extensions import mypyc_attr

from kernel.sched.tunables import NoTunables
from kernel.sched.weights import NICE_0_LOAD
from kernel.uapi.policy import FAIR_POLICIES
from kernel.uapi.prio import DEFAULT_PRIO

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.machine import MachineSpec
    from kernel.sched.rq import Rq
    from kernel.smp.smp_class import SmpClass

# flags of enqueue_task
ENQUEUE_WAKEUP: Final = 0x01  # the task slept
ENQUEUE_HEAD: Final = 0x10  # its priority has fallen: it goes before its new equals
ENQUEUE_MIGRATED: Final = 0x40  # it comes from another CPU
ENQUEUE_INITIAL: Final = 0x80  # it is new, and has never run
# flags of dequeue_task
DEQUEUE_SLEEP: Final = 0x01  # the task goes to sleep or dies
DEQUEUE_MOVE: Final = 0x04  # it stays runnable and goes to another queue, or another class
DEQUEUE_UNINTERRUPTIBLE: Final = 0x08  # with SLEEP: no signal ends it (2.6.11: activated = -1)
DEQUEUE_SPECIAL: Final = 0x10  # with SLEEP: it stops, is traced, parks or dies
# flags of wakeup_preempt
WF_FORK: Final = 0x04
WF_TTWU: Final = 0x08
# flags of task_fork
FORK_HERE: Final = 0x01  # the child will run on its parent's CPU
FORK_VFORK: Final = 0x02  # the parent is about to wait for the child
FORK_VM: Final = 0x04  # the two share their memory (CLONE_VM)

CLASS_ORDER: Final[tuple[str, ...]] = ("stop", "deadline", "rt", "fair", "idle")
# places in it
STOP_RANK: Final = 0
DEADLINE_RANK: Final = 1
RT_RANK: Final = 2
FAIR_RANK: Final = 3
IDLE_RANK: Final = 4

SYSCTL_SCHED_MIGRATION_COST_NS: Final = 500_000  # ran more recently than this: cache-hot
SCHED_NR_MIGRATE: Final = 32  # how many tasks one balancing pass looks at


@mypyc_attr(allow_interpreted_subclasses=True)
class Entity:
    """What a class keeps about one task. It travels with the task, as plain data it makes itself.

    A task keeps the entity of a class it leaves, and finds it again when it comes back.
    """

    __slots__ = ()

    def pack(self) -> list[Any]:
        """Return the entity as plain data that msgpack can carry."""
        return []

    def unpack(self, data: Sequence[Any]) -> None:
        """Take what ``pack`` returned."""


@mypyc_attr(allow_interpreted_subclasses=True)
class ClassRq:
    """What a class keeps about one CPU. ``nr_running``: its runnable tasks, current included.

    A class with more than that in it has ``pack`` and ``unpack`` of its own, so that a CPU can be
    set down as data (``kernel.cpu.checkpoint``). Tasks are named by pid there.
    """

    __slots__ = ("nr_running",)

    def __init__(self) -> None:
        self.nr_running = 0

    def pack(self) -> list[Any]:
        """Return the queue as plain data that msgpack can carry."""
        return [self.nr_running]

    def unpack(self, data: Sequence[Any], tasks: "Mapping[int, CpuTask]") -> None:
        """Take what ``pack`` returned; ``tasks`` by pid, whose entities are there already."""
        (self.nr_running,) = data


@mypyc_attr(allow_interpreted_subclasses=True)
class SchedClass:
    """The operations of one scheduling class. ``rq.clock_ns`` is the time of every call.

    Args:
        name: as in ``sched.fair`` and as the key of its tunables.
        rank: its place in CLASS_ORDER; a lower rank always preempts a higher one.
        policies: the SCHED_* numbers it schedules.
        tunables: a frozen dataclass, see ``kernel.sched.tunables``.
        title: its name for people; "" as ``name``.
        as_of: the last Linux that has it as it is here; "" if none has.
        half: its half in KernelState; None: the one of ``kernel.smp.classes`` for its name, or else
            for its rank.
        absent: the profiles whose Linux does not have it yet.

    ``weighted``: its tasks share the CPU by their weights, hence by nice values, and are balanced
    by load; they change policy and nice value where they stand. True of a fair class.
    ``fork_order``: what ``child_runs_first: auto`` means for it (``kernel.sched.fork_order``).
    ``hrtick``: it has slices that can end between two ticks (``hrtick_slice``).
    ``skips_ticks``: its ``task_tick`` does nothing for a task that runs alone but account for its
    time, and ``skip_ticks`` does so for many ticks at once.
    ``takes_groups``: it shares the CPU among groups of tasks first (``kernel.sched.task_group``).
    """

    __slots__ = (
        "absent",
        "as_of",
        "fork_order",
        "half",
        "hrtick",
        "name",
        "policies",
        "rank",
        "skips_ticks",
        "takes_groups",
        "title",
        "tunables",
        "weighted",
    )

    def __init__(
        self,
        name: str,
        rank: int = FAIR_RANK,
        policies: tuple[int, ...] = FAIR_POLICIES,
        tunables: type = NoTunables,
        title: str = "",
        as_of: str = "",
        half: "SmpClass | None" = None,
        absent: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.rank = rank
        self.policies = policies
        self.tunables: type = tunables
        self.title = title or name
        self.as_of = as_of
        self.half = half
        self.absent = absent
        self.weighted = rank == FAIR_RANK
        self.fork_order = "off"
        self.hrtick = False
        self.skips_ticks = False
        self.takes_groups = False

    # -- what it keeps ------------------------------------------------------------------------

    def make_rq(self, tunables: Any, spec: "MachineSpec") -> ClassRq:
        """Return what the class keeps about one CPU of the machine ``spec``.

        ``tunables``: an instance of ``self.tunables`` with what is configured.
        """
        return ClassRq()

    def make_entity(self) -> Entity:
        """Return what the class keeps about a task that is new to it."""
        return Entity()

    # -- on and off the queue -----------------------------------------------------------------

    def enqueue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Put ``p``, which has just become runnable, on the queue: ENQUEUE_*.

        The core sets ``p.on_rq`` and counts ``rq.nr_running`` afterwards; the class counts its own.
        """
        raise NotImplementedError(f"{self.name}.enqueue_task")

    def dequeue_task(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """Take ``p``, queued or current, off the queue: DEQUEUE_*.

        The core clears ``p.on_rq`` afterwards.
        """
        raise NotImplementedError(f"{self.name}.dequeue_task")

    def is_queued(self, p: "CpuTask") -> bool:
        """Tell whether ``p`` is on a queue: it is runnable, or the class keeps it there asleep."""
        return p.on_rq

    def queued(self, rq: "Rq") -> "list[CpuTask]":
        """Return the runnable tasks of the class, those that should leave for another CPU first.

        With the current one or without. For balancing and for checks.
        """
        raise NotImplementedError(f"{self.name}.queued")

    # -- who runs -----------------------------------------------------------------------------

    def pick_next_task(self, rq: "Rq") -> "CpuTask | None":
        """Return the task to run next, made this class's current; None if there is none.

        It sets ``p.exec_start_ns`` to the time.
        """
        raise NotImplementedError(f"{self.name}.pick_next_task")

    def put_prev_task(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` is about to leave the CPU; it waits again if it is still runnable (``on_rq``).

        Also when ``p`` runs and gets another policy: off the queue, then this, then queued anew,
        and ``set_next_task`` of the class it is in then.
        """

    def set_next_task(self, rq: "Rq", p: "CpuTask") -> None:
        """Make ``p``, runnable and queued, this class's current."""

    def wakeup_preempt(self, rq: "Rq", p: "CpuTask", flags: int) -> None:
        """``p``, of the same class as ``rq.curr``, was queued: call for a switch if it is due.

        ``flags``: WF_FORK, WF_TTWU or 0.
        """

    def may_preempt(self, rq: "Rq") -> bool:
        """Tell whether a task of this class may take the CPU from one of a lower class, or idle."""
        return True

    def left_behind(self, rq: "Rq") -> None:
        """A task of a lower class was queued while ``rq.curr``, of this one, runs."""

    def yield_task(self, rq: "Rq") -> None:
        """``rq.curr`` called sched_yield()."""

    def task_tick(self, rq: "Rq", p: "CpuTask") -> None:
        """The timer tick hit while ``p``, of this class, ran."""

    def skip_ticks(self, rq: "Rq", p: "CpuTask", first_ns: int, ticks: int, tick_ns: int) -> bool:
        """Account for ``ticks`` ticks at once while ``p``, of this class, is all there is to run.

        They would call ``task_tick`` at ``first_ns`` and then every ``tick_ns``. Return False, with
        nothing done, if each of them has to come.
        """
        return False

    def hrtick_slice(self, rq: "Rq", p: "CpuTask", update: bool) -> int:
        """Return for how long ``p``, which runs, may run in one go: ns.

        ENDLESS if there is nobody else, NOT_NOW if the end that is known stays
        (``kernel.sched.hrtick``). ``update``: it runs on, and somebody has joined or left.
        """
        return 0

    def rq_tick(self, rq: "Rq") -> None:
        """The timer tick hit, whoever ran; after ``task_tick``."""

    def update_curr(self, rq: "Rq") -> None:
        """Account for what ``rq.curr`` ran up to ``rq.clock_ns``."""

    # -- the life of a task -------------------------------------------------------------------

    def task_fork(self, rq: "Rq", parent: "CpuTask", child: "CpuTask", flags: int) -> None:
        """``parent``, runnable on ``rq``, has forked ``child`` into this class; it is on no queue.

        ``flags``: FORK_HERE, FORK_VFORK, FORK_VM. The parent's class may be another
        (SCHED_RESET_ON_FORK).
        """

    def setparam(self, rq: "Rq", p: "CpuTask", priority: int, own: tuple[int, ...]) -> None:
        """Give ``p``, on no queue and in this class by now, the parameters of its policy.

        Args:
            priority: ``sched_priority``.
            own: what the class's other half made of the rest (``SmpClass.own_attrs``).

        Source: kernel/sched/syscalls.c:__setscheduler_params(), __setscheduler_prio().
        """
        p.rt_priority = priority
        p.prio = DEFAULT_PRIO + p.nice

    def param_changed(self, rq: "Rq", p: "CpuTask", priority: int, own: tuple[int, ...]) -> bool:
        """Tell whether ``p`` has other parameters; if not, it stays where it is in its queue.

        Asked of a class that is not ``weighted``, whatever policy of the class it gets; arguments
        as of ``setparam``.

        Source: kernel/sched/syscalls.c:__sched_setscheduler(), "change" and DEQUEUE_MOVE.
        """
        return True

    def task_woken(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` was woken or is new, is queued, and preemption has been decided.

        Source: kernel/sched/core.c:ttwu_do_activate(), wake_up_new_task().
        """

    def task_dead(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` has left the CPU for the last time; another task runs by now.

        Source: kernel/sched/core.c:finish_task_switch().
        """

    def switched_from(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` is about to leave this class. If it is ``on_rq``, DEQUEUE_MOVE follows."""

    def switched_to(self, rq: "Rq", p: "CpuTask") -> None:
        """``p`` has changed to this class; if it is ``on_rq`` it has been queued."""

    def prio_changed(self, rq: "Rq", p: "CpuTask", old_nice: int) -> None:
        """The priority of ``p`` within this class has changed."""

    def set_load_weight(self, p: "CpuTask") -> None:
        """``p``, on no queue, has come to this class, or has another nice value or policy.

        Source: kernel/sched/core.c:set_load_weight().
        """

    def reweight_task(self, rq: "Rq", p: "CpuTask") -> None:
        """``p``, which is queued, has another nice value or another policy of this class."""

    def timer(self, rq: "Rq", at_ns: int, key: int, data: tuple[int, ...]) -> None:
        """The timer that was armed with ``rq.timers.arm(at_ns, self.rank, key, data)`` is due."""
        raise NotImplementedError(f"{self.name}.timer")

    def leave_group(self, rq: "Rq", p: "CpuTask") -> None:
        """``p``, which sleeps, is about to leave its group; of a class that takes groups.

        Source: kernel/sched/fair.c:detach_task_cfs_rq().
        """
        self.migrate_task_rq(rq, p)

    def join_group(self, rq: "Rq", p: "CpuTask") -> None:
        """``p``, which sleeps, has left one group for another: ``p.group``.

        Source: kernel/sched/fair.c:attach_task_cfs_rq().
        """

    def told(self, rq: "Rq", key: int, data: tuple[int, ...]) -> None:
        """The class's half in the kernel, or itself on another CPU (``rq.mail``), says something.

        What it says is its own: ``key`` and ``data``.
        """
        raise NotImplementedError(f"{self.name}.told")

    # -- between CPUs -------------------------------------------------------------------------

    def migrate_task_rq(self, rq: "Rq", p: "CpuTask") -> None:
        """``p``, on no queue, leaves ``rq`` for another CPU, where it is enqueued as MIGRATED."""

    def detach_one(self, rq: "Rq", dst: int) -> "CpuTask | None":
        """Return a waiting task for CPU ``dst`` (-1: any), which idles, or None."""
        for p in self.queued(rq):
            if p is not rq.curr and (dst < 0 or p.cpus_allowed is None or dst in p.cpus_allowed):
                return p
        return None

    def migration_candidate(self, rq: "Rq") -> "CpuTask | None":
        """Return the task that balancing should look at next, and look at it last from now on.

        None: the class takes no part in periodic balancing.
        """
        return None

    def task_load(self, p: "CpuTask") -> int:
        """Return the load that goes with ``p`` to another CPU: that of nice 0.

        Source: kernel/sched/fair.c:task_h_load().
        """
        return NICE_0_LOAD

    def task_h_load(self, rq: "Rq", p: "CpuTask") -> int:
        """Return what ``p`` weighs on its CPU if groups share it: as much, unless it is in one.

        Source: kernel/sched/fair.c:task_h_load().
        """
        return self.task_load(p)

    def task_hot(self, rq: "Rq", p: "CpuTask", dest_runs: bool) -> bool:
        """Tell whether much of ``p`` is probably still in the cache of its CPU.

        ``dest_runs``: the CPU that would get it has something to run.

        Source: kernel/sched/fair.c:task_hot().
        """
        return rq.clock_ns - p.exec_start_ns < SYSCTL_SCHED_MIGRATION_COST_NS

    def pushable_task(self, rq: "Rq", p: "CpuTask", dst: int) -> "CpuTask | None":
        """Return ``p``, or an equal of it if it runs, that waits and may go to CPU ``dst``."""
        return None

    # -- checks -------------------------------------------------------------------------------

    def check(self, rq: "Rq", found: list[str]) -> None:
        """Append a line to ``found`` for each invariant of the class that does not hold."""
