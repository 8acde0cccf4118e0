"""``KernelState``: the logical process that owns what all CPUs share.

Requests come in, effects go out; between them runs kernel code written as generator paths
(``kernel.points``). One class serves both granularities:

- ``syscall``: a path runs from its request to its end or its sleep in one go. Locks are calendars
  in virtual time (``kernel.locking``).
- ``step``: every point is a place to interleave. The paths of all CPUs that are inside the kernel
  stand side by side and take turns, point by point. Locks exclude for real. See
  ``kernel.drive.interleave``.

A path is the kernel half of what one task does between entering the kernel and going back to user
mode: the system call, then pending signals, then the reply. It is suspended at a SCHEDULE point
when the task sleeps, and goes on when a CPU that runs the task asks for it (REQ_CONTINUE).

The load table (``nr_running``, ``idle_mask``) counts the runnable tasks of every CPU. It is exact
in the kernel's own order, because nothing else makes tasks runnable or not.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final

from kernel import messages as m
from kernel.boot.arrivals import gap_ns, splitmix64
from kernel.boot.rest_init import kernel_init
from kernel.boot.smpboot import smpboot_register_percpu_thread
from kernel.boot.start import boot_machine
from kernel.drive.forms import is_path, pass_point, quick_form
from kernel.drive.interleave import ActivePath, StepChecks, StepDriver
from kernel.drive.livelock import FaultLoop, note_fault
from kernel.errors import (
    FaultSignal,
    GuestFault,
    KernelError,
    RestartNoIntr,
    RestartSyscall,
    TaskDead,
)
from kernel.events import TASK_CHANGE
from kernel.locking import Lock, LockStat
from kernel.machine import MachineSpec
from kernel.ns.common import FIRST_INO
from kernel.points import RESCHED, SCHEDULE, Path
from kernel.process.exec import ExecResult
from kernel.process.kthread import kthreadd
from kernel.process.release import put_task_struct
from kernel.process.spawn import spawn_process
from kernel.ptrace.stops import (
    leave_syscall,
    syscall_exit_work,
    syscall_trace_enter,
    user_single_step_report,
)
from kernel.signal.deliver import get_signal
from kernel.signal.pending import signal_pending
from kernel.signal.send import force_sig_fault
from kernel.smp.balance import (
    SchedDomain,
    balanced,
    newly_idle,
    note_load,
    run_rebalance_domains,
    start_balancing,
)
from kernel.smp.loadavg import calc_global_load, load_period_ns
from kernel.smp.push import push_rt_tasks
from kernel.smp.ttwu import select_task_rq_exec, try_to_wake_up
from kernel.stats import KernelStats
from kernel.syscalls import HANDLERS
from kernel.task import TASK_DEAD, TASK_NORMAL, TASK_RUNNING, SignalStruct, TaskStruct, mm_of
from kernel.time.itimer import it_real_fn
from kernel.time.posix_cpu_timers import run_posix_cpu_timers
from kernel.trace.systrace import traced
from kernel.uapi.errno_ import EINTR
from kernel.uapi.signals import OP_EINTR, OP_FAULTED, OP_NOT_BEGUN
from kernel.user import Error, Loader

if TYPE_CHECKING:
    from kernel.arch.stack import StackRegion
    from kernel.fs.inode import Vfs
    from kernel.mm.frames import Frames
    from kernel.mm.slab import SlabCache
    from kernel.ns.nsproxy import NsProxy
    from kernel.ns.pid_namespace import PidNamespace
    from kernel.process.kthread import KthreadList
    from kernel.process.pid import PidMap
    from kernel.process.tasklist import TaskList

_TIMER_WAKE: Final = 0
_TIMER_SPAWN: Final = 1
_TIMER_BALANCE: Final = 2
_TIMER_REAL: Final = 3

_NOT_EMULATED_KEPT: Final = 8
_BALANCE_RETRY_NS: Final = 100_000
_BALANCE_RETRY_MAX_NS: Final = 12_800_000


def _request_ns(request: m.Request) -> int:
    return request[0]  # type: ignore[no-any-return]


class KernelState:
    """The kernel-state LP. See the module header; the attributes paths use are in decision 0001."""

    # set by kernel.boot.start and kernel.boot.rest_init
    arch: Any
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

    def __init__(self, spec: MachineSpec, loader: Loader) -> None:
        self.spec = spec
        self.costs = spec.costs
        self.loader = loader
        self.now_ns = 0
        self.cpu = 0
        self.current: TaskStruct = None  # type: ignore[assignment]  # set by boot_tasks
        self.eager_fork = spec.fork == "eager"
        self.stats = KernelStats()
        self.random_calls = 0  # of getrandom: each gives other bytes
        self.lock_stats: dict[str, LockStat] = {}
        self.tasklist_lock = self.new_lock("tasklist_lock", history=True)
        self.pidmap_lock = self.new_lock("pidmap_lock", history=True)
        # the load table
        self.nr_running = [0] * spec.cpus
        self.idle_mask = (1 << spec.cpus) - 1
        self.pulls_out = 0  # tasks counted as moved that no CPU has given away or refused yet
        # CPU time of tasks, and the load average: for /proc
        self.cpu_user_ns = [0] * spec.cpus
        self.cpu_system_ns = [0] * spec.cpus
        self.avenrun = [0, 0, 0]
        self.nr_kthreads = 0  # made since boot and not released
        self.feeder: Callable[[], bytes] | None = None  # set by an engine with a terminal
        self.accounting = spec.acct  # does anybody want a record of each process?
        self.acct_files = 0  # that acct() writes to: kernel.acct
        self.calc_load_update_ns = load_period_ns(spec.hz)  # of the next sample
        self.overloaded = 0  # CPUs with two or more runnable tasks
        # load balancing: kernel.smp.balance
        self.tick_ns = 1_000_000_000 // spec.hz
        self.domains = [SchedDomain(spec.cpus, spec.linux) for _ in range(spec.cpus)]
        self.next_balance = 0  # least of the CPUs', in jiffies
        self.balance_ns = m.NEVER  # when it is due, if there is anything to balance
        self.uneven: dict[TaskStruct, None] = {}  # tasks with another load than nice 0
        # tasks with a real-time policy -> their CPU time when last woken, in ns
        self.rt_tasks: dict[TaskStruct, int] = {}
        self.affinity_used = False  # a task may be bound to some CPUs
        self._pinned = 0  # CPUs that had nothing to give the last time
        self._balance_retry_ns = _BALANCE_RETRY_NS
        # namespaces: the next number in /proc/PID/ns, and how many there are of each kind
        self.next_ns_ino = FIRST_INO
        self.ns_counts: dict[int, int] = {}
        # in and out
        self._requests: list[m.Request] = []
        self._outbox: dict[int, list[m.Effect]] = {}
        self._last_seq = [0] * spec.cpus
        self._last_replies: list[m.Effect | None] = [None] * spec.cpus
        self._dying: dict[int, TaskStruct] = {}  # cpu -> dead task it still stands on
        self.trace: list[tuple[Any, ...]] = []
        self._tracing = spec.trace
        self.stepwise = spec.granularity == "step"  # else POINT and BARRIER mean nothing
        handlers = HANDLERS
        if not self.stepwise:
            handlers = {number: quick_form(handler) for number, handler in HANDLERS.items()}
        self._handlers = traced(handlers) if spec.trace and spec.trace_syscalls else handlers
        self.outputs: list[tuple[str, bytes]] = []
        # timers: (time, serial, kind, object)
        self._timers: list[tuple[int, int, int, Any]] = []
        self._timer_serial = 0
        # programs started by the configuration
        self.labels: dict[int, str] = {}  # pid -> label
        self.statuses: list[tuple[str, int, int]] = []
        self._spawns_left = sum(spawn.count for spawn in spec.spawns)
        self.fatal: str | None = None
        self.fault_loop = FaultLoop()
        self.not_emulated: list[str] = []  # what programs asked for in vain, each once, the first
        self.futex_buckets: dict[int, Any] = {}  # kernel.ipc.waitwake.FutexHashBucket
        # granularity step
        self._active: list[ActivePath] = []
        self._stepper = StepDriver(self)
        # called after every step; tests may set their own
        self.after_step: Any = StepChecks() if self.stepwise and spec.check else None
        self._boot()

    # -- boot ---------------------------------------------------------------------------------

    def _boot(self) -> None:
        """Make the first tasks, the file tree, and the timers of the configured programs."""

        boot_machine(self)
        self.boot_threads = self.tasks.nr_threads
        self.boot_kthreads = 1 + len(self.kthreadd.children)
        form = self.form
        self._park_at_boot(self.kthreadd, form(kthreadd)(self))
        for task in tuple(self.kthreadd.children.values()):
            path = form(smpboot_register_percpu_thread)(self, task, task.cpu)
            self._park_at_boot(task, path)
        self._park_at_boot(self.child_reaper, form(kernel_init)(self))
        for number, spawn in enumerate(self.spec.spawns):
            if spawn.count:
                self._add_timer(spawn.start_ns, _TIMER_SPAWN, (number, 0))

    def _park_at_boot(self, task: TaskStruct, path: Path[object]) -> None:
        """Let ``task`` go to sleep in ``path`` before time starts; its CPU holds its other half."""
        self.current = task
        for _name, kind, obj in path:
            if kind == SCHEDULE:
                break
            if not self.stepwise:
                pass_point(self, kind, obj)
        task.path = path if task is self.child_reaper else self.kernel_thread_path(task, path)
        task.on_rq = False

    # -- what paths call ----------------------------------------------------------------------

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

    def emit(self, event: int, *fields: Any) -> None:
        """Record one trace event of the current path: ``(time, event, cpu, *fields)``."""
        if self._tracing:
            self.trace.append((self.now_ns, event, self.cpu, *fields))

    def arm_timer(self, task: TaskStruct, at_ns: int) -> None:
        """Wake ``task`` at ``at_ns`` if it then sleeps in TASK_NORMAL; replaces an earlier one."""
        task.timer = self._add_timer(at_ns, _TIMER_WAKE, task)

    def cancel_timer(self, task: TaskStruct) -> None:
        """Forget ``task``'s armed timeout, if any."""
        task.timer = 0

    def arm_real_timer(self, signal: SignalStruct, at_ns: int) -> int:
        """Let ITIMER_REAL of a process expire at ``at_ns``; return the timer's serial number."""
        return self._add_timer(at_ns, _TIMER_REAL, signal)

    def kick(self, task: TaskStruct) -> None:
        """Make a running ``task`` look at its pending signals (signal_wake_up's IPI)."""
        if task is not self.current:
            self.send_task(task.cpu, task, m.EFF_SIGNAL)

    def set_nice(self, task: TaskStruct, nice: int) -> None:
        """Give ``task`` a nice value and tell its CPU."""
        task.nice = nice
        note_load(self, task)
        self.emit(TASK_CHANGE, task.pid, "nice", nice)
        self.send_task(task.cpu, task, m.EFF_RENICE, nice)

    def feed(self) -> bytes:
        """Return the next line of the host side's terminal; b"" at its end, or if there is none."""
        return b"" if self.feeder is None else self.feeder()

    def output(self, name: str, data: bytes) -> None:
        """Hand on what a program wrote to a capture file of the host side."""
        self.outputs.append((name, data))

    def spawn_exited(self, pid: int, status: int) -> None:
        """Note the wait status of a child of init; those the configuration started are kept."""
        label = self.labels.pop(pid, None)
        if label is not None:
            self.statuses.append((label, pid, status))

    def _note_not_emulated(self, what: str) -> None:
        """Note that a program was told NotImplementedError; the first few are kept."""
        if len(self.not_emulated) < _NOT_EMULATED_KEPT and what not in self.not_emulated:
            self.not_emulated.append(what)

    def send_task(self, cpu: int, task: TaskStruct, code: int, *arguments: Any) -> None:
        """Send an effect about ``task`` to ``cpu``, never earlier than the last one about it."""
        now_ns = self.now_ns
        if now_ns < task.msg_ns:
            now_ns = task.msg_ns
        task.msg_ns = now_ns
        effect = (now_ns, code, task.pid, *arguments)
        box = self._outbox.get(cpu)
        if box is None:
            self._outbox[cpu] = [effect]
        else:
            box.append(effect)

    def send_to_cpu(self, cpu: int, effect: m.Effect) -> None:
        """Send an effect that is about no task to ``cpu``."""
        self._outbox.setdefault(cpu, []).append(effect)

    # -- the load table -----------------------------------------------------------------------

    def load_inc(self, cpu: int) -> None:
        """Count one more runnable task on ``cpu``; if it now queues while another idles, pull."""
        self._count(cpu, 1)
        if self.nr_running[cpu] == 2 and self.idle_mask:
            self._pinned &= ~(1 << cpu)
            self._pull(self.idle_cpu_from(cpu))

    def load_dec(self, cpu: int) -> None:
        """Count one runnable task less on ``cpu``; if it has none left, pull one from elsewhere.

        Source: kernel/sched/fair.c:newidle_balance().
        """
        self._count(cpu, -1)
        if self.overloaded and not self.nr_running[cpu]:
            self._pull(cpu)

    def _count(self, cpu: int, change: int) -> None:
        """Enter one task more or less into the table and what is derived from it."""
        before = self.nr_running[cpu]
        after = self.nr_running[cpu] = before + change
        if not after:
            self.idle_mask |= 1 << cpu
        elif not before:
            self.idle_mask &= ~(1 << cpu)
        if after > 1:
            if before <= 1:
                self.overloaded += 1
                if self.overloaded == 1:
                    start_balancing(self)
        elif before > 1:
            self.overloaded -= 1
            if not self.overloaded:
                self.balance_ns = m.NEVER

    def idle_cpu_from(self, cpu: int) -> int:
        """Return the first idle CPU at or after ``cpu``, going round; there must be one."""
        ahead = self.idle_mask >> cpu
        if ahead:
            return cpu + (ahead & -ahead).bit_length() - 1
        mask = self.idle_mask
        return (mask & -mask).bit_length() - 1

    def _pull(self, dest: int) -> None:
        """Ask the busiest CPU to give a queued task to ``dest`` and count it as moved."""
        table = self.nr_running
        source = self._busiest() if self._pinned else table.index(max(table))
        if source < 0:
            return
        self._count(source, -1)
        self._count(dest, 1)
        self.pulls_out += 1
        self._outbox.setdefault(source, []).append((self.now_ns, m.EFF_PULL, 0, dest))

    def _pull_failed(self, source: int, dest: int) -> None:
        """``source`` had nothing to give: count back, and look again a little later."""
        self.pulls_out -= 1
        self._count(source, 1)
        self._count(dest, -1)
        if dest in self._dying and not self.nr_running[dest]:
            self._finish_dead(dest)  # no task comes whose request would tell of the switch
        if self.overloaded and not self.nr_running[dest]:
            newly_idle(self, dest)
        if self.affinity_used:
            # its queued tasks may be bound: ask the others first, and then less and less often
            self._pinned |= 1 << source
            if self.overloaded and self.idle_mask >> dest & 1 and self._busiest() >= 0:
                self._pull(dest)
                return
            self._balance_retry_ns = min(self._balance_retry_ns * 2, _BALANCE_RETRY_MAX_NS)
        if self.overloaded:
            self._add_timer(self.now_ns + self._balance_retry_ns, _TIMER_BALANCE, None)

    def _busiest(self) -> int:
        """Return the CPU with most runnable tasks, 2 at least, that may have one to give, or -1."""
        best = -1
        for cpu, count in enumerate(self.nr_running):
            if self._pinned >> cpu & 1:
                continue
            if count > 1 and (best < 0 or count > self.nr_running[best]):
                best = cpu
        return best

    def _pushed(self, task: TaskStruct, cpu: int, dest: int) -> None:
        """``task`` has gone from ``cpu``, where it may no longer run, to ``dest``."""
        if task.cpu == cpu:
            task.cpu = dest
        self.stats.migrations += 1
        self._moved_ack(cpu, task)
        self.load_inc(dest)
        self.load_dec(cpu)
        if self.rt_tasks:
            push_rt_tasks(self)

    def _moved_ack(self, cpu: int, task: TaskStruct) -> None:
        """Let ``cpu`` forget ``task`` once it has passed on all that was sent there about it."""
        at_ns = max(self.now_ns, task.msg_ns)
        self._outbox.setdefault(cpu, []).append((at_ns, m.EFF_MOVED_ACK, task.pid))

    # -- requests in, effects out -------------------------------------------------------------

    def deliver(self, requests: Iterable[m.Request]) -> None:
        """Take requests, in any order; they are served in the order ``(time, cpu, seq)``."""
        self._requests.extend(requests)
        self._requests.sort()  # (time, cpu, seq) is unique: nothing beyond it is compared

    def take_effects(self) -> dict[int, list[m.Effect]]:
        """Return the effects since the last call, per CPU in the order they were sent."""
        outbox = self._outbox
        self._outbox = {}
        return outbox

    def next_ns(self) -> int:
        """Return the virtual time of the kernel's own next event, or NEVER.

        Load balancing (``balance_ns``) is none: alone it goes on for ever, and leads to nothing.
        """
        first = self._timers[0][0] if self._timers else m.NEVER
        if self._requests and self._requests[0][0] < first:
            first = self._requests[0][0]
        if self._active:
            return min(first, self._stepper.next_ns())
        return first

    def finished(self) -> bool:
        """Tell whether everything the configuration started has come and gone, and init sleeps."""
        return (
            not self._spawns_left
            and self.tasks.nr_threads - self.nr_kthreads == self.boot_threads
            and not any(self.nr_running)
            and not self._active  # a timer's path may outlive the task it was for
        )

    def run(self, limit_ns: int) -> None:
        """Serve every request and every timer due at or before ``limit_ns``.

        At granularity ``step`` paths in progress run up to ``limit_ns``.
        """
        if self.stepwise:
            self._stepper.run(limit_ns)
            return
        requests, timers = self._requests, self._timers
        self._requests = []
        if requests and requests[-1][0] > limit_ns:
            due = bisect_right(requests, limit_ns, key=_request_ns)
            self._requests = requests[due:]
            del requests[due:]
        for request in requests:
            while timers and timers[0][0] <= request[0]:
                self._fire_timer()
            while self.balance_ns <= request[0]:
                run_rebalance_domains(self)
            path = self._open(request)
            if path is not None:
                self._drive(path)
        while timers and timers[0][0] <= limit_ns:
            self._fire_timer()
        while self.balance_ns <= limit_ns < m.NEVER - 1:
            run_rebalance_domains(self)

    def _open(self, request: m.Request) -> Path[object] | None:
        """Make a request's task current; return the path to run, or None if it is served."""
        now_ns, cpu, seq, code, pid, utime_ns, stime_ns, nivcsw, *arguments = request
        self.stats.requests += 1
        if now_ns >= self.calc_load_update_ns:
            calc_global_load(self, now_ns)
        self.now_ns = now_ns
        self.cpu = cpu
        if seq <= self._last_seq[cpu]:
            if seq == self._last_seq[cpu]:
                reply = self._last_replies[cpu]
                if reply is not None:
                    self._outbox.setdefault(cpu, []).append(reply)
            return None
        self._last_seq[cpu] = seq
        self._last_replies[cpu] = None
        if cpu in self._dying:
            self._finish_dead(cpu)
        if code == m.REQ_PULL_FAILED:
            self._pull_failed(cpu, arguments[0])
            return None
        if code == m.REQ_BALANCED:
            balanced(self, cpu, *arguments)
            return None
        if code == m.REQ_FATAL:
            self.fatal = arguments[0]
            return None
        task = self.find_task(pid)
        if code == m.REQ_MIGRATED:
            if task.cpu == cpu:
                task.cpu = arguments[0]
            self.pulls_out -= 1
            self.stats.pulls += 1
            self.stats.migrations += 1
            self._balance_retry_ns = _BALANCE_RETRY_NS
            self._moved_ack(cpu, task)
            return None
        if code == m.REQ_PUSHED:
            self._pushed(task, cpu, arguments[0])
            return None
        self.current = task
        task.cpu = cpu
        self.cpu_user_ns[cpu] += utime_ns - task.utime_ns
        self.cpu_system_ns[cpu] += stime_ns - task.stime_ns
        task.utime_ns = utime_ns
        task.stime_ns = stime_ns
        task.nivcsw = nivcsw
        if now_ns > task.msg_ns:
            task.msg_ns = now_ns
        if code == m.REQ_SYSCALL:
            op, ctx = arguments
            if ctx is not None:
                task.ctx = ctx
            self.now_ns = now_ns + self.costs.syscall_entry
            task.in_syscall = op[0]
            self.stats.syscalls += 1
            return self._syscall(task, op)
        if code == m.REQ_CONTINUE:
            path, task.path = task.path, None
            return path
        if code == m.REQ_USER_WORK:
            return self._user_work(task, arguments[0])
        if code == m.REQ_RESUME:
            self._resume(task, arguments[0], None)
            return None
        raise AssertionError(f"unknown request {request!r}")

    def find_task(self, pid: int) -> TaskStruct:
        """Return the task with this pid; a CPU never speaks of one that is gone."""
        found = self.pids.hash.get(pid)
        task = None if found is None else found.task
        if task is None:
            raise AssertionError(f"cpu {self.cpu} at {self.now_ns}: no task has pid {pid}")
        return task

    # -- paths --------------------------------------------------------------------------------

    def _syscall(self, task: TaskStruct, op: tuple[Any, ...]) -> Path[None]:
        """One system call from entry to the reply, with signals on the way back to user mode."""
        call = op
        handlers = self._handlers
        changed = False  # the result, by a tracer
        value: Any = None
        error: Error | None = None
        how = 0
        forced = si_code = 0  # the signal of a fault
        try:
            while True:
                restart: type[RestartSyscall] | None = None
                try:
                    if task.ptrace:
                        stepped = yield from user_single_step_report(self, task)
                        if stepped:
                            yield from get_signal(self)
                            if task.tripped:
                                how = OP_NOT_BEGUN
                                break
                        call = yield from syscall_trace_enter(self, task, op)
                    value = handlers[call[0]](self, *call[1:])
                    if is_path(value):
                        value = yield from value
                except KernelError as failed:
                    value = None  # it may be the path itself, which has ended early
                    name = failed.filename
                    error = (
                        "OSError",
                        (failed.errno,) if name is None else (failed.errno, name),
                    )
                    if failed.filename2 is not None:
                        error = ("OSError", (failed.errno, name, failed.filename2))
                    if failed.errno == EINTR:
                        how = OP_EINTR
                except GuestFault as fault:
                    value = None
                    error = fault.error
                    if error[0] == "NotImplementedError":
                        self._note_not_emulated(str(error[1][0]))
                except RestartSyscall as interrupted:
                    value = None
                    restart = type(interrupted)
                    self.stats.restarts += 1
                except FaultSignal as fault:
                    value = None
                    # the access is tried again if a handler lets the task live
                    restart = RestartNoIntr
                    forced, si_code = fault.signal, fault.code
                if task.ptrace:
                    value, error, changed = yield from syscall_exit_work(
                        self, task, op, value, error, restart
                    )
                    if changed:
                        how = 0
                if forced:
                    note_fault(self, task, op, forced)
                    yield from force_sig_fault(self, forced, si_code)
                    forced = 0
                    how = OP_FAULTED
                if signal_pending(task):
                    action = yield from get_signal(self)
                    if action and restart is not None and (how or restart.ends(action)):
                        how = how or OP_EINTR
                        break
                if restart is None:
                    break
                how = 0
        except TaskDead:
            self._dead(task)
            return
        task.in_syscall = -1
        if task.ptrace:
            leave_syscall(task)
        if task.tripped or how:
            self._reply_handled(task, op, how, value, error)
        else:
            self._reply(task, value, error)

    def _user_work(self, task: TaskStruct, op: tuple[Any, ...] | None) -> Path[None]:
        """Signals noticed on the way back to user mode, outside any system call.

        Args:
            task: the current one.
            op: what it is about to call, if its context lives here; else None.
        """
        try:
            if task.signal.cputimers is not None:
                yield from run_posix_cpu_timers(self)
            if signal_pending(task):
                yield from get_signal(self)
        except TaskDead:
            self._dead(task)
            return
        if task.ptrace:
            leave_syscall(task)
        signals, task.tripped = task.tripped, ()
        ctx = task.ctx
        if not signals:
            self._answer(task, m.EFF_USER)
        elif ctx is None:
            self._answer(task, m.EFF_HANDLE, signals, OP_NOT_BEGUN, 0, None, None)
        else:
            ctx.trip(signals)
            if op is None:
                self._answer(task, m.EFF_USER)
            else:
                ctx.interrupt(op, OP_NOT_BEGUN, 0)
                self._resume(task, None, None)

    def _reply_handled(
        self,
        task: TaskStruct,
        op: tuple[Any, ...],
        how: int,
        value: Any,
        error: Error | None,
    ) -> None:
        """Send the result of a system call after handlers have run, or say that there is none."""
        signals, task.tripped = task.tripped, ()
        until_ns, task.restart_ns = task.restart_ns, 0
        ctx = task.ctx
        if type(value) is ExecResult:
            self._reply(task, value, error)  # the handlers belonged to the old program
        elif ctx is None:
            self._answer(task, m.EFF_HANDLE, signals, how, until_ns, value, error)
        else:
            if signals:
                ctx.trip(signals)
            if how:
                ctx.interrupt(op, how, until_ns)
                value = error = None
            self._resume(task, value, error)

    def _reply(self, task: TaskStruct, value: Any, error: Error | None) -> None:
        """Send the result of a system call to where the task's user context lives."""
        if type(value) is ExecResult:
            task.ctx = None
            dest = select_task_rq_exec(self)
            holder = task.cpu
            if dest != self.cpu:
                self.load_dec(self.cpu)
                self.load_inc(dest)
                task.cpu = dest
                self.stats.migrations += 1
            self._answer_from(
                holder,
                task,
                m.EFF_EXEC,
                value.image,
                value.argv,
                value.env,
                task.comm,
                dest,
                value.start,
            )
        elif task.ctx is not None:
            self._resume(task, value, error)
        elif error is not None:
            self._answer(task, m.EFF_ERROR, error)
        else:
            self._answer(task, m.EFF_RETURN, value)

    def _resume(self, task: TaskStruct, value: Any, error: Error | None) -> None:
        """Run the next block of a context that lives here, or hand it back to the CPU.

        It goes back as soon as no other task shares its memory.
        """
        ctx = task.ctx
        if ctx is None:
            raise AssertionError(f"{task!r} has no context in the kernel")
        if mm_of(task).users == 1 and task.signal.nr_threads == 1:
            task.ctx = None
            self._answer(task, m.EFF_TAKE, ctx, value, error)
            return
        op = ctx.resume(value, error)
        self._answer(task, m.EFF_NEXT, op, ctx.steps)

    def _dead(self, task: TaskStruct) -> None:
        """do_exit() is done: the task leaves its CPU for ever.

        Its stack, hence its structure, must outlive the switch away from it: the CPU's next
        request shows that the switch is over; an idle switch is over at once.
        """
        task.state = TASK_DEAD
        task.on_rq = False
        task.ctx = None
        self._answer(task, m.EFF_DEAD)
        cpu = self.cpu
        self._dying[cpu] = task
        self.load_dec(cpu)
        if self.uneven:
            self.uneven.pop(task, None)
        if self.rt_tasks and task in self.rt_tasks:
            del self.rt_tasks[task]
            push_rt_tasks(self)
        if not self.nr_running[cpu]:
            self._finish_dead(cpu)

    def _finish_dead(self, cpu: int) -> None:
        """Drop the reference that the CPU held on the dead task it has switched away from.

        Source: kernel/sched/core.c:finish_task_switch().
        """
        put_task_struct(self, self._dying.pop(cpu))

    def _answer(self, task: TaskStruct, code: int, *arguments: Any) -> None:
        """Reply to the request being served."""
        self._answer_from(self.cpu, task, code, *arguments)

    def _answer_from(self, cpu: int, task: TaskStruct, code: int, *arguments: Any) -> None:
        now_ns = self.now_ns
        if now_ns < task.msg_ns:
            now_ns = task.msg_ns
        task.msg_ns = now_ns
        effect = (now_ns, code, task.pid, *arguments)
        self._last_replies[cpu] = effect
        box = self._outbox.get(cpu)
        if box is None:
            self._outbox[cpu] = [effect]
        else:
            box.append(effect)

    def _sleep(self, task: TaskStruct, path: Path[object]) -> None:
        """The current task gives up its CPU until somebody wakes it."""
        task.path = path
        task.on_rq = False
        task.nvcsw += 1
        self.stats.sleeps += 1
        self._answer(task, m.EFF_SLEEP, task.state)
        self.load_dec(self.cpu)
        if self.rt_tasks and task in self.rt_tasks:
            push_rt_tasks(self)

    def _resched(self, task: TaskStruct, path: Path[object]) -> None:
        """The current task's CPU may run somebody else here (``cond_resched``)."""
        task.path = path
        self._answer(task, m.EFF_RESCHED)

    def kernel_thread_path(self, task: TaskStruct, body: Path[object]) -> Path[None]:
        """Run ``body`` as all that ``task``, a kernel thread, ever does."""
        try:
            yield from body
        except TaskDead:
            self._dead(task)

    def _drive(self, path: Path[object]) -> None:
        """Run a path to its end or its sleep (granularity ``syscall``)."""
        for _name, kind, obj in path:
            if kind == SCHEDULE:
                if self.current.state != TASK_RUNNING:
                    self._sleep(self.current, path)
                    return
            elif kind == RESCHED:
                self._resched(self.current, path)
                return
            else:
                pass_point(self, kind, obj)

    # -- timers -------------------------------------------------------------------------------

    def _add_timer(self, at_ns: int, kind: int, what: Any) -> int:
        self._timer_serial += 1
        heappush(self._timers, (at_ns, self._timer_serial, kind, what))
        return self._timer_serial

    def has_live_timer(self) -> bool:
        """Tell whether a timer is armed that could wake, signal or start somebody."""
        return any(
            (kind == _TIMER_WAKE and what.timer == serial)
            or kind == _TIMER_SPAWN
            or (kind == _TIMER_REAL and what.itimer is not None and what.itimer.serial == serial)
            for _at_ns, serial, kind, what in self._timers
        )

    def _fire_timer(self) -> None:
        path = self._open_timer()
        if is_path(path):
            self._drive(path)

    def form(self, function: Any) -> Any:
        """Return the form of a path that this machine runs (``kernel.drive.forms``)."""
        return function if self.stepwise else quick_form(function)

    def _open_timer(self) -> Any:
        """Take the first timer; return the path it starts, if it still means anything.

        Of a path whose quick form has no need to be run any more, its result.
        """
        at_ns, serial, kind, what = heappop(self._timers)
        if at_ns >= self.calc_load_update_ns:
            calc_global_load(self, at_ns)
        self.now_ns = at_ns
        if kind == _TIMER_WAKE:
            if what.timer != serial:
                return None
            what.timer = 0
            self.cpu = what.cpu
            self.current = what
            self.now_ns += self.costs.timer_op
            return self.form(try_to_wake_up)(self, what, TASK_NORMAL)
        if kind == _TIMER_SPAWN:
            number, index = what
            spawn = self.spec.spawns[number]
            if index + 1 < spawn.count:
                next_ns = at_ns + gap_ns(spawn, index, splitmix64(self.spec.seed, number))
                self._add_timer(next_ns, _TIMER_SPAWN, (number, index + 1))
            self.cpu = 0
            self.current = self.child_reaper
            return self._spawn(spawn, index)
        if kind == _TIMER_REAL:
            timer = what.itimer
            if timer is None or timer.serial != serial or not what.live:
                return None
            self.cpu = what.leader.cpu
            self.current = self.init_task  # an interrupt: it is nobody's system call
            self.now_ns += self.costs.timer_op
            return self.form(it_real_fn)(self, what)
        self._pinned = 0
        if self.overloaded and self.idle_mask:
            self._pull(self.idle_cpu_from(0))
        return None

    def _spawn(self, spawn: Any, index: int) -> Path[None]:
        """Start one configured program as a child of init."""
        label = spawn.label or spawn.path.rsplit("/", 1)[-1]
        if spawn.count > 1:
            label = f"{label}-{index}"
        yield from spawn_process(self, spawn, label)
        self._spawns_left -= 1
