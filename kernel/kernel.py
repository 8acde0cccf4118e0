"""``Kernel``: what kernel paths see as ``k``: the data that all CPUs share, and a few services.

Nothing here drives: what a request is and when its path runs is ``kernel.state.KernelState``, the
logical process, which is a Kernel with a door. A function of the kernel takes ``k: Kernel`` and
finds in it the time and the task it runs for, the machine's tables, and ways to send an effect to a
CPU, to arm a timer, to make a lock, to write a trace record. Decision 0001 has the list.
"""

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from kernel import messages as m
from kernel.boot.init_programs import InitPrograms
from kernel.cgroup.cgroup import CgroupHierarchy
from kernel.costs import Costs, scaled
from kernel.drive.forms import quick_form
from kernel.drive.livelock import FaultLoop
from kernel.drive.story import Story
from kernel.errors import TaskDead
from kernel.events import TASK_CHANGE
from kernel.locking import Lock, LockStat
from kernel.machine import MachineSpec
from kernel.ns.common import FIRST_INO
from kernel.points import Path
from kernel.process.fork_race import ForkRace
from kernel.profiles import profile_named
from kernel.smp.averages import Averages
from kernel.smp.classes import SchedTable
from kernel.smp.domains import domains_of
from kernel.smp.load import LoadTable
from kernel.smp.loadavg import load_period_ns
from kernel.smp.mutations import SchedMutations
from kernel.smp.psi import PsiGroup
from kernel.smp.schedule import do_task_dead
from kernel.smp.task_groups import GroupTable
from kernel.smp.topology import SCHED_CAPACITY_SCALE, build, flat
from kernel.smp.weigh import note_load
from kernel.stats import KernelStats
from kernel.task import SignalStruct, TaskStruct
from kernel.time.itimer import REAL_TIMER
from kernel.time.slack import slack_of
from kernel.time.timeout import WAKE_TIMER
from kernel.timerq import TimerQueue
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.user import Loader

if TYPE_CHECKING:
    from kernel.arch.stack import StackRegion
    from kernel.drive.active_path import ActivePath
    from kernel.fs.inode import Vfs
    from kernel.ipc.waitwake import FutexHashBucket
    from kernel.mm.frames import Frames
    from kernel.mm.slab import SlabCache
    from kernel.ns.nsproxy import NsProxy
    from kernel.ns.pid_namespace import PidNamespace
    from kernel.process.kthread import KthreadList
    from kernel.process.pid import PidMap
    from kernel.process.tasklist import TaskList

_NOT_EMULATED_KEPT: Final = 8


def _costs_by_cpu(spec: MachineSpec) -> tuple[Costs, ...]:
    """Return what each CPU's work costs, if they differ in capacity; else ()."""
    if all(place[5] == SCHED_CAPACITY_SCALE for place in spec.places):
        return ()
    return tuple(scaled(spec.costs, place[5], SCHED_CAPACITY_SCALE) for place in spec.places)


class Kernel:
    """The state of one kernel, not booted: ``kernel.boot.start.boot_machine`` brings up the rest.

    Args:
        spec: the machine.
        loader: starts the user contexts of programs.
    """

    # set by kernel.boot.start and kernel.boot.rest_init
    arch: ModuleType  # kernel.arch.x86 or ppc
    frames: "Frames"
    slabs: "dict[str, SlabCache]"
    stacks: "StackRegion"
    vfs: "Vfs"
    tasks: "TaskList"
    pids: "PidMap"
    init_nsproxy: "NsProxy"
    init_pid_ns: "PidNamespace"
    init_task: TaskStruct
    child_reaper: TaskStruct
    kthreadd: TaskStruct
    kthread_create_list: "KthreadList"
    boot_threads: int
    boot_kthreads: int

    def __init__(self, spec: MachineSpec, loader: Loader) -> None:
        self.spec = spec
        self.costs = spec.costs  # of the CPU that is worked for
        self.cpu_costs = _costs_by_cpu(spec)
        self.loader = loader
        self.now_ns = 0
        self.cpu = 0
        self.current: TaskStruct = None  # type: ignore[assignment]  # set by boot_tasks
        self.eager_fork = spec.fork == "eager"
        self.stepwise = spec.granularity == "step"  # else POINT and BARRIER mean nothing
        self.stats = KernelStats()
        self.random_calls = 0  # of getrandom: each gives other bytes
        self.lock_stats: dict[str, LockStat] = {}
        self.tasklist_lock = self.new_lock("tasklist_lock", history=True)
        own = spec.pid_lock == "own"
        self.pidmap_lock = self.new_lock("pidmap_lock", history=True) if own else self.tasklist_lock
        self.timers = TimerQueue()
        self.programs = InitPrograms(spec)
        # who is runnable where: kernel.smp.load
        self.load = LoadTable(spec.cpus)
        # forks that copied an address space; frame -> their number when one of two that shared it
        # left by copying it: KernelStats.cow_saved
        self.nr_dup_mm = 0
        self.left_by_copy: dict[int, int] = {}
        self.forks: dict[int, ForkRace] = {}  # by child: kernel.process.fork_race
        self.dying: dict[int, TaskStruct] = {}  # cpu -> dead task it still stands on
        # CPU time of tasks, and the load average: for /proc
        self.cpu_user_ns = [0] * spec.cpus
        self.cpu_system_ns = [0] * spec.cpus
        # taken from a CPU by interrupts and the hypervisor (irq, softirq, steal), if anything was
        self.cpu_taken_ns: dict[int, tuple[int, int, int]] = {}
        self.cpu_timeslices = [0] * spec.cpus  # how often one has got a task to run
        self.cpu_run_delay_ns = [0] * spec.cpus  # how long their tasks have waited
        self.involuntary_switches = 0
        self.avenrun = [0, 0, 0]
        self.calc_load_update_ns = load_period_ns(spec.hz)  # of the next sample
        self.nr_kthreads = 0  # made since boot and not released
        self.services: dict[TaskStruct, None] = {}  # threads of kernel.boot.services
        self.accounting = spec.acct  # does anybody want a record of each process?
        self.acct_files = 0  # that acct() writes to: kernel.process.acct
        # load balancing: kernel.smp.balance
        self.tick_ns = NSEC_PER_SEC // spec.hz
        self.bugs = SchedMutations(spec.mutations)
        self.topology = self.bugs.rebuilt(
            build(spec.places, spec.distances, spec.linux) if spec.places else flat(spec.cpus)
        )
        pressure = profile_named(spec.linux).pressure
        self.psi = PsiGroup(spec.cpus, spec.hz, self.tick_ns) if pressure else None
        self.domains = domains_of(self.topology, spec.linux)
        self.averages = None if self.topology.flat else Averages(self.topology)
        self.wake_sync = False  # the wake-up under way is by one that is about to sleep
        self.next_balance = 0  # least of the CPUs', in jiffies
        self.balance_ns = m.NEVER  # when it is due, if there is anything to balance
        # tasks with another load than nice 0, and by how much
        self.uneven: dict[TaskStruct, int] = {}
        self.uneven_cpus: dict[int, int] = {}  # by CPU the sum of those that are runnable there
        self.sched = SchedTable(spec)  # of which class a task is, and who is in which
        self.groups = GroupTable(spec)  # sessions and other groups of tasks
        self.cgroups = CgroupHierarchy(spec, self.groups)
        self.affinity_used = False  # a task may be bound to some CPUs
        # namespaces: the next number in /proc/PID/ns, and how many there are of each kind
        self.next_ns_ino = FIRST_INO
        self.ns_counts: dict[int, int] = {}
        self.futex_buckets: dict[int, FutexHashBucket] = {}
        # on their way in, in the order in which they will be served, and out
        self.requests: list[m.Request] = []
        self.outbox: dict[int, list[m.Effect]] = {}
        self.last_replies: list[m.Effect | None] = [None] * spec.cpus
        self.trace: list[tuple[Any, ...]] = []
        self.tracing = spec.trace
        self.trace_waking = spec.trace and spec.trace_waking
        self.outputs: list[tuple[str, bytes]] = []
        self.feeder: Callable[[], bytes] | None = None  # set by an engine with a terminal
        self.fatal: str | None = None  # why the run cannot go on
        self.fault_loop = FaultLoop()
        self.not_emulated: list[str] = []  # what programs asked for in vain, each once, the first
        # granularity step: paths between two of their points, and the one whose code runs now
        self.active: list[ActivePath] = []
        self.stepping: ActivePath | None = None
        self.story: Story | None = Story() if self.stepwise else None

    def set_cpu(self, cpu: int) -> None:
        """Work for ``cpu`` from now on."""
        self.cpu = cpu
        if self.cpu_costs:
            self.costs = self.cpu_costs[cpu]

    def form(self, function: Any) -> Any:
        """Return the form of a path that this machine runs (``kernel.drive.forms``)."""
        return function if self.stepwise else quick_form(function)

    # -- locks --------------------------------------------------------------------------------

    def new_lock(self, name: str, *, history: bool = False) -> Lock:
        """Return a new lock of the class ``name``; ``history`` if all CPUs take this instance."""
        stat = self.lock_stats.get(name)
        if stat is None:
            stat = self.lock_stats[name] = LockStat(name)
        return Lock(stat, history=history)

    def pi_lock(self, task: TaskStruct) -> Lock:
        """Return ``task``'s pi_lock, made at first use."""
        lock = task.pi_lock
        if lock is None:
            lock = task.pi_lock = self.new_lock("pi_lock")
        return lock

    def task_lock(self, task: TaskStruct) -> Lock:
        """Return ``task``'s alloc_lock, made at first use.

        Source: include/linux/sched/task.h:task_lock().
        """
        lock = task.alloc_lock
        if lock is None:
            lock = task.alloc_lock = self.new_lock("alloc_lock")
        return lock

    # -- tasks --------------------------------------------------------------------------------

    def find_task(self, pid: int) -> TaskStruct:
        """Return the task with this pid; a CPU never speaks of one that is gone."""
        found = self.pids.hash.get(pid)
        task = None if found is None else found.task
        if task is None:
            raise AssertionError(f"cpu {self.cpu} at {self.now_ns}: no task has pid {pid}")
        return task

    def kernel_thread_path(self, task: TaskStruct, body: Path[object]) -> Path[None]:
        """Return the path in which ``body`` is all that ``task``, a kernel thread, ever does.

        Source: arch/x86/entry/entry_64.S:ret_from_fork_asm().
        """
        try:
            yield from body
        except TaskDead:
            do_task_dead(self, task)

    def kick(self, task: TaskStruct) -> None:
        """Make a running ``task`` look at its pending signals (signal_wake_up's IPI)."""
        if task is not self.current:
            remote = task.cpu != self.cpu
            self.send(task.cpu, m.eff_signal(self.stamp(task), task.pid, remote))

    def set_nice(self, task: TaskStruct, nice: int) -> None:
        """Give ``task`` a nice value and tell its CPU."""
        task.nice = nice
        note_load(self, task)
        if self.tracing:
            self.emit(TASK_CHANGE, (task.pid, "nice", nice))
        self.send(task.cpu, m.eff_renice(self.stamp(task), task.pid, nice))

    # -- timers -------------------------------------------------------------------------------

    def arm_timer(self, task: TaskStruct, at_ns: int, slack_ns: int = -1) -> None:
        """Wake ``task`` at ``at_ns`` if it then sleeps in TASK_NORMAL; replaces an earlier one.

        ``slack_ns``: by how much it may be later (``kernel.time.slack``); -1: that of the task.
        """
        if self.spec.timer_slack:
            task.soft_ns = at_ns
            at_ns += slack_of(self, task) if slack_ns < 0 else slack_ns
        task.timer = self.timers.add(at_ns, WAKE_TIMER, task)

    def cancel_timer(self, task: TaskStruct) -> None:
        """Forget ``task``'s armed timeout, if any."""
        task.timer = 0

    def arm_real_timer(self, signal: SignalStruct, at_ns: int) -> int:
        """Let ITIMER_REAL of a process expire at ``at_ns``; return the timer's serial number."""
        return self.timers.add(at_ns, REAL_TIMER, signal)

    # -- effects to CPUs ----------------------------------------------------------------------

    def stamp(self, task: TaskStruct) -> int:
        """Return the time for an effect about ``task``: now, but never before the last one."""
        now_ns = self.now_ns
        if now_ns < task.msg_ns:
            return task.msg_ns
        task.msg_ns = now_ns
        return now_ns

    def send(self, cpu: int, effect: m.Effect) -> None:
        """Send an effect to ``cpu``."""
        box = self.outbox.get(cpu)
        if box is None:
            self.outbox[cpu] = [effect]
        else:
            box.append(effect)

    def answer(self, effect: m.Effect) -> None:
        """Reply to the request that is being served."""
        cpu = self.cpu
        self.last_replies[cpu] = effect
        self.send(cpu, effect)

    def answer_to(self, cpu: int, effect: m.Effect) -> None:
        """Reply to ``cpu``, which waits for it; kept in case the CPU asks again."""
        self.last_replies[cpu] = effect
        self.send(cpu, effect)

    # -- trace, host side ---------------------------------------------------------------------

    def emit(self, event: int, fields: tuple[object, ...]) -> None:
        """Record one trace event of the current path: ``(time, event, cpu, *fields)``.

        Who calls it has looked whether there is a trace (``tracing``): a machine without one makes
        no fields.
        """
        self.trace.append((self.now_ns, event, self.cpu, *fields))

    def feed(self) -> bytes:
        """Return the next line of the host side's terminal; b"" at its end, or if there is none."""
        return b"" if self.feeder is None else self.feeder()

    def output(self, name: str, data: bytes) -> None:
        """Hand on what a program wrote to a capture file of the host side."""
        self.outputs.append((name, data))

    def note_not_emulated(self, what: str) -> None:
        """Note what a program asked for and is not emulated; the first few are kept."""
        if len(self.not_emulated) < _NOT_EMULATED_KEPT and what not in self.not_emulated:
            self.not_emulated.append(what)
