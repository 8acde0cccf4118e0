"""``KernelState``: the logical process that owns what all CPUs share: a ``Kernel`` with a door.

Requests come in, effects go out; between them runs kernel code written as generator paths
(``kernel.points``). One class serves both granularities:

- ``syscall``: a path runs from its request to its end or its sleep in one go. Locks are calendars
  in virtual time (``kernel.locking``). See ``kernel.drive.run_through``.
- ``step``: every point is a place to interleave. The paths of all CPUs that are inside the kernel
  stand side by side and take turns, point by point. Locks exclude for real. See
  ``kernel.drive.interleave``.

A path is the kernel half of what one task does between entering the kernel and going back to user
mode: the system call, then pending signals, then the reply (``kernel.entry``). It is suspended at a
SCHEDULE point when the task sleeps, and goes on when a CPU that runs the task asks for it
(REQ_CONTINUE).
"""

from collections.abc import Callable, Iterable
from typing import Any

from kernel import messages as m
from kernel.boot.services import only_services_run
from kernel.boot.start import start_machine
from kernel.check.step import StepChecks
from kernel.drive.chooser import Chooser
from kernel.drive.forms import is_path
from kernel.drive.interleave import StepDriver
from kernel.drive.run_through import run_to_sleep
from kernel.drive.step_watch import StepWatch
from kernel.drive.story import tell
from kernel.entry import resume, syscall, user_work
from kernel.errors import InvariantError, unknown
from kernel.kernel import Kernel
from kernel.machine import MachineSpec
from kernel.points import Path
from kernel.process.fork_race import went_on
from kernel.profiles import profile_named
from kernel.smp.averages import heard
from kernel.smp.balance import balanced, run_rebalance_domains
from kernel.smp.classes import said, told
from kernel.smp.loadavg import calc_global_load
from kernel.smp.migrate import migrated, pull_failed, pushed
from kernel.smp.schedule import finish_task_switch
from kernel.smp.weigh import set_task_cpu
from kernel.syscalls import table
from kernel.time.posix_cpu_timers import CLASS_SIGNAL
from kernel.trace.systrace import traced
from kernel.user import Loader, Op, UserContext


class KernelState(Kernel):
    """The kernel-state LP. See the module header; the attributes paths use are in decision 0001."""

    def __init__(self, spec: MachineSpec, loader: Loader) -> None:
        super().__init__(spec, loader)
        self._last_seq = [0] * spec.cpus
        handlers = table(self.form, profile_named(spec.linux).later_calls)
        self._handlers = traced(handlers) if spec.trace and spec.trace_syscalls else handlers
        self._syscall: Callable[..., Path[None]] = self.form(syscall)
        self._user_work: Callable[..., Path[None]] = self.form(user_work)
        self._stepper = StepDriver(self)
        self._alive_until_ns = 0  # stuck() need not look before
        # granularity step: called after every step; tests may set their own
        self.after_step: Callable[[KernelState], None] | None = (
            StepChecks() if self.stepwise and spec.check else None
        )
        start_machine(self)

    @property
    def chooser(self) -> Chooser:
        """Who decides how paths take turns (granularity ``step``); may be replaced at the start."""
        return self._stepper.chooser

    @chooser.setter
    def chooser(self, chooser: Chooser) -> None:
        self._stepper.chooser = chooser

    @property
    def watch(self) -> StepWatch | None:
        """Who is told of every step of a path (granularity ``step``)."""
        return self._stepper.watch

    @watch.setter
    def watch(self, watch: StepWatch | None) -> None:
        self._stepper.watch = watch

    @property
    def stores_wait(self) -> bool:
        """Whether a CPU has stored what others do not see yet (granularity ``step``)."""
        memory = self._stepper.memory
        return memory.buffers and bool(memory.drains())

    @property
    def single_steps(self) -> bool:
        """Whether ``run`` comes back after every step, for CPUs to go on (granularity ``step``)."""
        return self._stepper.single

    @single_steps.setter
    def single_steps(self, single: bool) -> None:
        self._stepper.single = single

    # -- in and out ---------------------------------------------------------------------------

    def deliver(self, requests: Iterable[m.Request]) -> None:
        """Take requests, which ``run`` is to serve in this order: who drives the LP decides it.

        Each CPU's come in the order of their ``seq``.
        """
        self.requests.extend(requests)

    def take_effects(self) -> dict[int, list[m.Effect]]:
        """Return the effects since the last call, per CPU in the order they were sent."""
        outbox = self.outbox
        self.outbox = {}
        return outbox

    def next_ns(self) -> int:
        """Return the virtual time of the kernel's own next event, or NEVER.

        Load balancing (``balance_ns``) is none: alone it goes on for ever, and leads to nothing.
        """
        timers = self.timers.heap
        first: int = timers[0][0] if timers else m.NEVER
        if self.requests and self.requests[0][0] < first:
            first = self.requests[0][0]
        if self.stepwise:
            return min(first, self._stepper.next_ns())
        return first

    def finished(self) -> bool:
        """Tell whether all programs the configuration started have come and gone, and init sleeps.

        Services go on for ever, and are not waited for.
        """
        return (
            not self.programs.left
            and self.tasks.nr_threads - self.nr_kthreads == self.boot_threads
            and only_services_run(self)
        )

    def stuck(self) -> bool:
        """Tell whether services are all that can ever run, though time goes on."""
        if not self.services or self.now_ns < self._alive_until_ns or not only_services_run(self):
            return False
        self._alive_until_ns = self.timers.some_live_ns(self.services)
        return self._alive_until_ns == m.NEVER

    # -- what is due --------------------------------------------------------------------------

    def run(self, limit_ns: int) -> None:
        """Serve the requests delivered, and every timer due at or before ``limit_ns``.

        A timer that is due at or before the time of a request goes before it. No request is later
        than ``limit_ns``.

        At granularity ``step`` paths in progress run up to ``limit_ns``.
        """
        try:
            if self.stepwise:
                self._stepper.run(limit_ns)
            else:
                self._run_through(limit_ns)
        except InvariantError as broken:
            tell(self, broken)
            raise

    def _run_through(self, limit_ns: int) -> None:
        requests = self.requests
        timers = self.timers.heap
        self.requests = []
        for request in requests:
            at_ns: int = request[m.R_TIME]
            while timers and timers[0][0] <= at_ns:
                self._fire_timer()
            while self.balance_ns <= at_ns:
                run_rebalance_domains(self)
            path = self.open(request)
            if path is not None:
                run_to_sleep(self, path)
        while timers and timers[0][0] <= limit_ns:
            self._fire_timer()
        while self.balance_ns <= limit_ns < m.END:
            run_rebalance_domains(self)

    def _fire_timer(self) -> None:
        path = self.open_timer()
        if is_path(path):
            run_to_sleep(self, path)

    def open_timer(self) -> Any:
        """Take the first timer; return the path it starts, if it still means anything.

        Of a path whose quick form has no need to be run any more, its result.
        """
        at_ns, serial, kind, what = self.timers.pop()
        if at_ns >= self.calc_load_update_ns:
            calc_global_load(self, at_ns)
        self.now_ns = at_ns
        return kind.expire(self, what, serial)

    def open(self, request: m.Request) -> Path[object] | None:
        """Make a request's task current; return the path to run, or None if it is served."""
        now_ns: int = request[m.R_TIME]
        cpu: int = request[m.R_CPU]
        seq: int = request[m.R_SEQ]
        code: int = request[m.R_CODE]
        stats = self.stats
        stats.requests += 1
        if now_ns >= self.calc_load_update_ns:
            calc_global_load(self, now_ns)
        self.now_ns = now_ns
        self.cpu = cpu
        if self.cpu_costs:
            self.costs = self.cpu_costs[cpu]
        last_seq = self._last_seq
        if seq <= last_seq[cpu]:
            if seq == last_seq[cpu]:
                reply = self.last_replies[cpu]
                if reply is not None:
                    self.send(cpu, reply)
            return None
        last_seq[cpu] = seq
        self.last_replies[cpu] = None
        if self.dying and cpu in self.dying:
            finish_task_switch(self, cpu)
        if code > m.REQ_RESUME:  # posted: nobody waits for an answer
            self._take_note(request)
            return None
        found = self.pids.hash.get(request[m.R_PID])
        current = None if found is None else found.task
        task = self.find_task(request[m.R_PID]) if current is None else current
        utime_ns: int = request[m.R_UTIME]
        stime_ns: int = request[m.R_STIME]
        self.current = task
        if task.cpu != cpu:
            task.nr_migrations += 1
            set_task_cpu(self, task, cpu)
        spent_ns = utime_ns - task.utime_ns
        if spent_ns:
            times = self.cpu_user_ns
            times[cpu] = times[cpu] + spent_ns  # compiled, += on an item is a call of Python's
            task.utime_ns = utime_ns
        spent_ns = stime_ns - task.stime_ns
        if spent_ns:
            times = self.cpu_system_ns
            times[cpu] = times[cpu] + spent_ns
            task.stime_ns = stime_ns
        nivcsw: int = request[m.R_NIVCSW]
        run_delay_ns: int = request[m.R_RUN_DELAY]
        timeslices = task.nvcsw + nivcsw + 1
        if timeslices != task.timeslices:
            slices = self.cpu_timeslices
            slices[cpu] = slices[cpu] + timeslices - task.timeslices
            task.timeslices = timeslices
            self.involuntary_switches += nivcsw - task.nivcsw
            task.nivcsw = nivcsw
        if run_delay_ns != task.run_delay_ns:
            times = self.cpu_run_delay_ns
            times[cpu] = times[cpu] + run_delay_ns - task.run_delay_ns
            task.run_delay_ns = run_delay_ns
        if now_ns > task.msg_ns:
            task.msg_ns = now_ns
        if code == m.REQ_SYSCALL:
            op: Op = request[m.R_ARGS]
            ctx: UserContext | None = request[m.R_ARGS + 1]
            if ctx is not None:
                task.ctx = ctx
            self.now_ns = now_ns + self.costs.syscall_entry
            task.in_syscall = op[0]
            stats.syscalls += 1
            return self._syscall(self, self._handlers, task, op)
        if code == m.REQ_CONTINUE:
            path, task.path = task.path, None
            return path
        if code == m.REQ_USER_WORK:
            return self._user_work(self, task, request[m.R_ARGS])
        if code == m.REQ_RESUME:
            resume(self, task, request[m.R_ARGS], None)
            return None
        raise InvariantError(unknown(request, "kernel"))

    def _take_note(self, request: m.Request) -> None:
        """Serve what a CPU says of itself or of a task that need not be the one it runs."""
        cpu: int = request[m.R_CPU]
        code: int = request[m.R_CODE]
        pid: int = request[m.R_PID]
        first = m.R_ARGS
        if code == m.REQ_PULL_FAILED:
            pull_failed(self, cpu, request[first])
        elif code == m.REQ_MIGRATED:
            migrated(self, self.find_task(pid), cpu, request[first])
        elif code == m.REQ_PUSHED:
            pushed(self, self.find_task(pid), cpu, request[first])
        elif code == m.REQ_BALANCED:
            dest, moved, pinned = request[first], request[first + 1], request[first + 2]
            balanced(self, cpu, dest, moved, pinned, request[first + 3])
        elif code == m.REQ_AVERAGES:
            heard(self, cpu, pid, request[first])
        elif code == m.REQ_TELL:
            task = self.find_task(pid)
            sig = told(self, task, request[first], request[first + 1])
            if sig:
                self.timers.add(self.now_ns, CLASS_SIGNAL, (task, sig))
        elif code == m.REQ_SAID:
            said(self, cpu, request[first], request[first + 1], tuple(request[first + 2]))
        elif code == m.REQ_WENT_ON:
            went_on(self, pid, request[first], request[first + 1], request[first + 2])
        elif code == m.REQ_FATAL:
            self.fatal = request[first]
        elif code == m.REQ_NOISE:
            self.cpu_taken_ns[cpu] = (request[first], request[first + 1], request[first + 2])
        else:
            raise InvariantError(unknown(request, "kernel"))
