"""A scheduler of one's own in a few lines: the protocol of sched_ext, and what the author sees.

The author derives from ``ExtScheduler`` and overrides what matters: where a task wakes
(``select_cpu``), where it waits (``enqueue``), what the CPU takes when it has nothing left
(``dispatch``). Tasks wait in dispatch queues (DSQs): the CPU's own SCX_DSQ_LOCAL, from which it
runs, SCX_DSQ_GLOBAL, and queues that the author makes, in order of arrival or of virtual time. A
task that ``enqueue`` puts nowhere is in the scheduler's custody until ``dispatch`` inserts it.
``kernel.sched.ext_class`` makes a scheduling class of it, ``kernel.smp.ext`` its kernel's half.

Every CPU has an object of its own, and KernelState one more, which answers ``select_cpu`` only: the
machine is distributed, and nothing is shared but what travels with a task (``ExtTask.put``).
Attributes are plain data or tasks, so that a CPU can be set down (``kernel.cpu.checkpoint``).

Source: kernel/sched/ext.c, tools/sched_ext/include/scx/common.bpf.h of Linux 6.13, whose names the
operations have (6.12: scx_bpf_dispatch is dsq_insert, scx_bpf_consume is dsq_move_to_local).
Deviation: a DSQ that is not local has a part on every CPU; what waits in one part is taken by an
idle CPU through the kernel's pull (decision 11), so its order holds for each CPU. ``select_cpu``
cannot insert a task. ``dispatch`` is not called on a CPU without runnable tasks. No cgroups, cpu
hotplug, or ``cpu_acquire`` and ``cpu_release``; callbacks take no CPU time.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.bits import GOLDEN_GAMMA, MASK_64, mix64
from kernel.sched.tunables import duration
from kernel.sched.weights import NICE_0_LOAD, SCHED_PRIO_TO_WEIGHT
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.policy import SCHED_IDLE
from kernel.uapi.prio import MIN_NICE

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.ext_rq import ExtRq

SCX_SLICE_DFL: Final = 20_000_000
SCX_SLICE_INF: Final = (1 << 64) - 1

SCX_DSQ_INVALID: Final = 1 << 63
SCX_DSQ_GLOBAL: Final = SCX_DSQ_INVALID | 1
SCX_DSQ_LOCAL: Final = SCX_DSQ_INVALID | 2
SCX_DSQ_LOCAL_ON: Final = SCX_DSQ_INVALID | 1 << 62  # | CPU
SCX_DSQ_LOCAL_CPU_MASK: Final = 0xFFFF_FFFF

# enq_flags
SCX_ENQ_WAKEUP: Final = 0x01
SCX_ENQ_HEAD: Final = 0x10
SCX_ENQ_PREEMPT: Final = 1 << 32
# deq_flags
SCX_DEQ_SLEEP: Final = 0x01
# wake_flags
SCX_WAKE_EXEC: Final = 0x02
SCX_WAKE_FORK: Final = 0x04
SCX_WAKE_TTWU: Final = 0x08
# flags of kick_cpu
SCX_KICK_IDLE: Final = 0x01
SCX_KICK_PREEMPT: Final = 0x02

_WEIGHTS: Final = tuple(
    min(max((each * 100 + NICE_0_LOAD // 2) // NICE_0_LOAD, 1), 10_000)
    for each in SCHED_PRIO_TO_WEIGHT
)
_PLAIN: Final = (int, str, float, bytes, bool, type(None))


class ExtError(Exception):
    """The scheduler asked for something that cannot be (``scx_error``); the message is one line.

    ``operation``: whose answer it is about, if what is wrong was found after that had returned.
    """

    operation: Any = None


@dataclass(frozen=True)
class ExtTunables:
    """What every scheduler of this kind has; one with more derives from it."""

    watchdog_ns: int = duration(
        30 * NSEC_PER_SEC,
        1_000_000,
        3600 * NSEC_PER_SEC,
        "A runnable task that has not run for as long ends the run.",
    )


class ExtTask:
    """A task as the scheduler sees it, as long as it is runnable on this CPU.

    Afterwards it is another object, and this one is gone: whatever is asked of it raises ExtError.
    ``slice`` and ``dsq_vtime`` may be set; ``put`` keeps a value that travels with the task.

    Source: include/linux/sched/ext.h (struct sched_ext_entity).
    """

    __slots__ = ("_p", "key", "where")

    def __init__(self, p: "CpuTask | None") -> None:
        self._p = p
        self.where = 0  # number of the DSQ, or one of the states of kernel.sched.ext_rq
        self.key = (0, 0)  # its place in the DSQ

    def __repr__(self) -> str:
        return "<a task that has left>" if self._p is None else f"<{self.comm}[{self.pid}]>"

    @property
    def task(self) -> "CpuTask":
        """The CPU's half of the task. Raises: ExtError, it has left."""
        if self._p is None:
            raise ExtError("a task that is not runnable on this CPU any more was used")
        return self._p

    @property
    def gone(self) -> bool:
        """Whether the task has left the CPU's queues since."""
        return self._p is None

    @property
    def pid(self) -> int:
        """Its thread's id, as of the initial namespace."""
        return self.task.pid

    @property
    def comm(self) -> str:
        """Its name."""
        return self.task.comm

    @property
    def nice(self) -> int:
        """Its nice value."""
        return self.task.nice

    @property
    def weight(self) -> int:
        """1 … 10000, 100 at nice 0. Source: kernel/sched/sched.h:sched_weight_to_cgroup()."""
        return weight(self.task.nice, self.task.policy)

    @property
    def sum_exec_ns(self) -> int:
        """What it has run, up to the last accounting."""
        return self.task.sum_exec_ns

    @property
    def slice(self) -> int:
        """What is left of its turn, in ns; SCX_SLICE_INF: no end."""
        left: int = self.task.se.slice_ns
        return left

    @slice.setter
    def slice(self, ns: int) -> None:
        self.task.se.slice_ns = min(_slice(ns), SCX_SLICE_INF)

    @property
    def dsq_vtime(self) -> int:
        """Its virtual time, which orders it in a DSQ of that kind."""
        vtime: int = self.task.se.vtime
        return vtime

    @dsq_vtime.setter
    def dsq_vtime(self, vtime: int) -> None:
        self.task.se.vtime = _vtime(vtime)

    def allowed(self, cpu: int) -> bool:
        """Tell whether it may run on ``cpu``."""
        cpus = self.task.cpus_allowed
        return cpus is None or cpu in cpus

    def put(self, key: str, value: Any) -> None:
        """Keep a number, text or None with the task, on whatever CPU it is.

        Raises:
            ExtError: another kind of value.
        """
        if type(value) not in _PLAIN:
            raise ExtError(f"what travels with a task is a number, text or None (got {value!r})")
        self.task.se.own[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        """Return what ``put`` has kept."""
        return self.task.se.own.get(key, default)

    def end(self) -> None:
        """The task leaves."""
        self._p = None


def weight(nice: int, policy: int) -> int:
    """Return the weight as sched_ext has it: 100 at nice 0."""
    return 1 if policy == SCHED_IDLE else _WEIGHTS[nice - MIN_NICE]


class ExtScheduler:
    """A scheduler; see the module header. ``name``: as in ``sched.NAME``; else the class's own.

    ``Tunables``: a frozen dataclass derived from ExtTunables, found as ``self.tunables``.
    ``self.cpu``: the CPU whose object this is, -1 for KernelState's; ``self.nr_cpus``: all.
    """

    __slots__ = ("_kernel", "_random", "_rq", "cpu", "nr_cpus", "tunables")

    name = ""
    title = ""
    Tunables: type[ExtTunables] = ExtTunables

    def __init__(self) -> None:
        self.cpu = -1
        self.nr_cpus = 0
        self.tunables: Any = None
        self._rq: ExtRq | None = None
        self._kernel: Any = None  # what KernelState's object knows: kernel.smp.ext.Placement
        self._random = 0

    # -- what a scheduler overrides -----------------------------------------------------------

    def init(self) -> None:
        """The CPU's object, or KernelState's, has been made: make DSQs, set attributes."""

    def select_cpu(self, p: Any, prev_cpu: int, wake_flags: int) -> int:
        """Return the CPU for ``p``, which wakes or is new. Asked of KernelState's object only.

        Args:
            p: has pid, comm, nice, weight, allowed().
            wake_flags: SCX_WAKE_TTWU or SCX_WAKE_FORK.
        """
        return self.select_cpu_dfl(p, prev_cpu, wake_flags)

    def enqueue(self, p: ExtTask, enq_flags: int) -> None:
        """Insert ``p``, runnable and not running, into a DSQ, or keep it for ``dispatch``."""
        self.dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags)

    def dequeue(self, p: ExtTask, deq_flags: int) -> None:
        """``p``, in the scheduler's custody, leaves: forget it."""

    def dispatch(self, cpu: int, prev: ExtTask | None) -> None:
        """The local DSQ is empty: move tasks there. ``prev`` would run on (set its slice)."""

    def tick(self, p: ExtTask) -> None:
        """The timer tick hit ``p``."""

    def runnable(self, p: ExtTask, enq_flags: int) -> None:
        """``p`` becomes runnable on this CPU; then ``enqueue``."""

    def running(self, p: ExtTask) -> None:
        """``p`` starts to run."""

    def stopping(self, p: ExtTask, runnable: bool) -> None:
        """``p`` stops running."""

    def quiescent(self, p: ExtTask, deq_flags: int) -> None:
        """``p`` is not runnable on this CPU any more."""

    def init_task(self, p: ExtTask) -> None:
        """``p`` is new to the scheduler."""

    def exit_task(self, p: ExtTask) -> None:
        """``p`` is dead."""

    def enable(self, p: ExtTask) -> None:
        """``p`` is scheduled by this class from now on."""

    def disable(self, p: ExtTask) -> None:
        """``p`` leaves for another class, or is dead."""

    def set_weight(self, p: ExtTask, weight: int) -> None:
        """The nice value of ``p`` has changed."""

    # -- what it calls ------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The CPU's clock, in ns."""
        return self._queue().rq.clock_ns

    def _queue(self) -> "ExtRq":
        if self._rq is None:
            raise ExtError("select_cpu decides where a task goes, and has no queues to use")
        return self._rq

    def create_dsq(self, dsq: int) -> None:
        """Make a DSQ with a number of one's own. Raises: ExtError, it is taken or reserved."""
        if self._rq is not None:
            self._rq.create_dsq(dsq)

    def dsq_insert(
        self, p: ExtTask, dsq: int, slice: int = SCX_SLICE_DFL, enq_flags: int = 0
    ) -> None:
        """Put ``p`` at the end of a DSQ, with ``slice`` ns to run.

        In ``enqueue`` that is the task it is called for, once. In ``dispatch`` it is any in the
        scheduler's custody; nothing is done if it has left that.

        Args:
            dsq: SCX_DSQ_LOCAL, SCX_DSQ_LOCAL_ON | cpu, SCX_DSQ_GLOBAL, or one's own.
            slice: ns, or SCX_SLICE_INF; 0: as it is.
            enq_flags: SCX_ENQ_HEAD puts it first, SCX_ENQ_PREEMPT ends the running task's slice.

        Raises:
            ExtError: there is no such DSQ, or CPU; it is one of virtual time; no such slice; in
                ``enqueue``: another task, or once more.

        Source: kernel/sched/ext.c:scx_bpf_dsq_insert(), mark_direct_dispatch().
        """
        self._queue().insert(p, dsq, _slice(slice), None, enq_flags)

    def dsq_insert_vtime(
        self, p: ExtTask, dsq: int, slice: int, vtime: int, enq_flags: int = 0
    ) -> None:
        """Put ``p`` into a DSQ of one's own by virtual time, the least first.

        Raises:
            ExtError: as ``dsq_insert``; the DSQ has tasks in order of arrival.

        Source: kernel/sched/ext.c:scx_bpf_dsq_insert_vtime().
        """
        self._queue().insert(p, dsq, _slice(slice), _vtime(vtime), enq_flags)

    def dsq_move_to_local(self, dsq: int) -> bool:
        """Move the first task of a DSQ to the local one; return whether there was one."""
        return self._queue().move_to_local(dsq)

    def dsq_nr_queued(self, dsq: int) -> int:
        """Return how many tasks wait in the part of a DSQ that this CPU has."""
        return len(self._queue().dsq(dsq).order)

    def kick_cpu(self, cpu: int, flags: int = 0) -> None:
        """Let a CPU look for what to run: SCX_KICK_IDLE, SCX_KICK_PREEMPT.

        Raises:
            ExtError: there is no such CPU, or it is another than this one.

        Deviation: a CPU can kick itself only; one that idles is given work by the kernel's pull.
        """
        self._queue().kick(cpu, flags)

    def random(self, below: int) -> int:
        """Return a number from 0 to ``below`` - 1, of a sequence that seed and CPU begin."""
        self._random = (self._random + GOLDEN_GAMMA) & MASK_64
        return mix64(self._random) % below

    def idle_cpus(self) -> int:
        """In ``select_cpu``: the mask of CPUs without runnable tasks."""
        found: int = self._placement().idle_cpus()
        return found

    def nr_running(self, cpu: int) -> int:
        """In ``select_cpu``: how many tasks are runnable on ``cpu``."""
        found: int = self._placement().nr_running(cpu)
        return found

    def spans(self, cpu: int) -> tuple[int, ...]:
        """In ``select_cpu``: masks of CPUs that share something with ``cpu``, nearest first."""
        found: tuple[int, ...] = self._placement().spans(cpu)
        return found

    def select_cpu_dfl(self, p: Any, prev_cpu: int, wake_flags: int) -> int:
        """In ``select_cpu``: as sched_ext and the fair class have it, an idle CPU that is near."""
        found: int = self._placement().select_cpu_dfl(p, prev_cpu, wake_flags)
        return found

    def _placement(self) -> Any:
        if self._kernel is None:
            raise ExtError("only select_cpu sees the load of all CPUs")
        return self._kernel

    # -- setting down -------------------------------------------------------------------------

    def begin(self, rq: "ExtRq | None", kernel: Any, cpus: int, seed: int, again: bool) -> None:
        """The object is that of a CPU's queue, or of KernelState; ``again``: it has been packed."""
        self._rq, self._kernel, self.nr_cpus = rq, kernel, cpus
        self.cpu = -1 if rq is None else rq.cpu
        if not again:
            self._random = mix64((seed * 4096 + self.cpu + 1) & MASK_64)
            self.init()

    def pack(self) -> list[Any]:
        """Return the author's attributes as plain data. Raises: ExtError, one is something else."""
        return [self._random, [[name, _packed(each)] for name, each in vars(self).items()]]

    def unpack(self, data: Any, tasks: Any) -> None:
        """Take what ``pack`` returned; ``tasks``: ExtTask by pid."""
        self._random, own = data
        for name, each in own:
            setattr(self, name, _unpacked(each, tasks))


def _slice(ns: int) -> int:
    """Return a slice. Raises: ExtError, it is no number of ns (a u64 in Linux)."""
    if type(ns) is not int or ns < 0:
        raise ExtError(f"a slice must be a whole number of ns, from 0 on (got {ns!r})")
    return ns


def _vtime(vtime: int) -> int:
    """Return a virtual time. Raises: ExtError, it is no whole number."""
    if type(vtime) is not int:
        raise ExtError(f"a virtual time must be a whole number (got {vtime!r})")
    return vtime


def _packed(value: Any) -> list[Any]:
    """Return plain data for ``value``: its kind, and what is in it."""
    if type(value) in _PLAIN:
        return ["", value]
    if isinstance(value, ExtTask):
        return ["task", None if value.gone else value.pid]
    if type(value) is dict:
        return ["dict", [[_packed(key), _packed(each)] for key, each in value.items()]]
    if type(value) in (list, tuple):
        return [type(value).__name__, [_packed(each) for each in value]]
    raise ExtError(f"attributes of a scheduler are numbers, texts, lists, dicts, tasks: {value!r}")


def _unpacked(data: Any, tasks: Any) -> Any:
    kind, value = data
    if kind == "task":
        return ExtTask(None) if value is None else tasks[value]
    if kind == "dict":
        return {_unpacked(key, tasks): _unpacked(each, tasks) for key, each in value}
    if kind in ("list", "tuple"):
        made = [_unpacked(each, tasks) for each in value]
        return tuple(made) if kind == "tuple" else made
    return value
