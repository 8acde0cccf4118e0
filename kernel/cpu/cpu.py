"""``Cpu``: the logical process of one simulated CPU.

It owns a runqueue, the clock, and the CPU-resident half of every task that ran here last. Its one
door is ``step(horizon_ns, effects)``: take what other LPs sent, run up to the horizon or until the
current task needs an answer from the kernel, and leave requests in ``out`` and messages for other
CPUs in ``forwards``.

Between two events the CPU does one of four things: it idles; it waits, busy in kernel mode, for the
answer to the current task's system call; it burns the current task's remaining user time; or it
lets the current task run its next basic blocks. Where its task stands says which
(``kernel.cpu.position``). Blocks are executed when they start, and their cost is burnt afterwards,
so a block's effects are ordered by its end; a preemption falls between.

Effects come in with a time (``kernel.cpu.handlers`` says what each does). One that is due
while a task burns user time interrupts it there. One from this CPU's past (the scheme let the CPU
run ahead) is applied at once and counted as a causality violation with its lateness. Under the
scheme ``exact`` (``eager``) there are none: a step ends as soon as the CPU has said something, for
the answer may come before what else is in its inbox.

When the tick comes, and to whom, is in ``kernel.cpu.tick``. What has to be exact is a timer of
``kernel.cpu.hrtimer``.

Source: kernel/sched/core.c (__schedule, scheduler_tick), arch entry code (exit_to_user_mode).
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from kernel import messages as m
from kernel.boot.smpboot_names import boot_kthreads_of
from kernel.cpu import tick as ticks
from kernel.cpu.fork_race import copies_ns, goes_on, say
from kernel.cpu.handlers import apply
from kernel.cpu.hrtimer import HrTimers
from kernel.cpu.local_calls import enter
from kernel.cpu.migrate import push, push_moves, run_timer, send_mail
from kernel.cpu.position import ASK, ASKED, IDLE, IN_KERNEL, USER, move
from kernel.cpu.task import CpuTask
from kernel.errors import InvariantError
from kernel.events import SCHED_SWITCH
from kernel.machine import MachineSpec
from kernel.sched import core, hrtick
from kernel.sched.rq import Rq
from kernel.stats import CpuStats
from kernel.uapi import syscalls as nr
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.failure import Error
from kernel.uapi.task_state import TASK_REPORT_MAX, TASK_RUNNING
from kernel.user import Loader, Op, UserContext


class Cpu:
    """One simulated CPU. See the module header."""

    __slots__ = (
        "_arrivals",
        "_closed_ns",
        "_loader",
        "_open_ns",
        "_seq",
        "_switch_ns",
        "block_ns",
        "costs",
        "eager",
        "early",
        "epoch_ns",
        "forwards",
        "id",
        "inbox",
        "instrument",
        "interrupts",
        "ipi_ns",
        "moved",
        "now_ns",
        "out",
        "rq",
        "stats",
        "tasks",
        "tick_cost_ns",
        "tick_ns",
        "ticks_alone",
        "ticks_idle",
        "timers",
        "trace",
        "tracing",
    )

    def __init__(self, cpu: int, spec: MachineSpec, loader: Loader) -> None:
        self.id = cpu
        self.now_ns = 0
        self.rq = Rq(cpu, spec)
        self.timers: HrTimers = self.rq.timers
        self.tasks: dict[int, CpuTask] = {}  # runnable, current or parked here
        self.out: list[m.Request] = []
        self.forwards: list[tuple[int, m.Effect]] = []  # (destination CPU, message)
        self.trace: list[tuple[Any, ...]] = []
        self.stats = CpuStats()
        # called instead of ctx.resume() while the engine samples where host time goes
        self.instrument: Callable[[UserContext, Any, Error | None], Op] | None = None
        self.inbox: list[tuple[int, int, m.Effect]] = []
        self._arrivals = 0  # order of messages with equal times
        self.early: dict[int, list[m.Effect]] = {}  # pid -> effects that came before the task
        # pid -> (CPU it was given to, how often the kernel still has to say that it knows)
        self.moved: dict[int, tuple[int, int]] = {}
        self._seq = 0
        # scheme exact: step() ends as soon as anybody is told anything, and nothing comes late
        self.eager = False
        self._closed_ns = self._open_ns = 0  # from when to when interrupts were off last
        self._loader = loader
        self.tracing = spec.trace
        self.block_ns = spec.costs.guest_block
        self.costs = spec.costs
        self._switch_ns = spec.costs.context_switch
        self.tick_ns = NSEC_PER_SEC // spec.hz
        self.tick_cost_ns = spec.costs.tick
        self.ticks_alone = ticks.ticks_alone(spec, cpu)  # though one task is all there is to run
        self.ticks_idle = spec.nohz == "off"
        self.ipi_ns = spec.costs.ipi
        self.interrupts = self.ipi_ns + spec.costs.idle_exit > 0  # of other CPUs take time
        self.epoch_ns = spec.epoch_ns
        if cpu == 0:
            for pid, comm in ((1, "init"), (2, "kthreadd")):
                boot = CpuTask(pid, pid, comm)
                boot.at = IN_KERNEL
                self.tasks[pid] = boot
        for pid, comm in boot_kthreads_of(spec, cpu):
            boot = CpuTask(pid, pid, comm)
            boot.at = IN_KERNEL
            boot.cpus_allowed = (cpu,)
            self.tasks[pid] = boot

    # -- the one door -------------------------------------------------------------------------

    def step(self, horizon_ns: int, effects: Iterable[m.Effect]) -> int:
        """Take ``effects`` and run up to ``horizon_ns``; return the time of the next own event.

        That time is NEVER when the CPU idles or waits and nothing is on its way in.
        """
        inbox = self.inbox
        for effect in effects:
            self._arrivals += 1
            if inbox:
                heappush(inbox, (effect[0], self._arrivals, effect))
            else:  # mostly it is the only one
                inbox.append((effect[0], self._arrivals, effect))
        return self.go_on(horizon_ns)

    def go_on(self, horizon_ns: int) -> int:
        """As ``step``, if nobody has sent anything."""
        self._run(horizon_ns)
        inbox = self.inbox
        due_ns = self.timers.next_ns
        if inbox and inbox[0][0] < due_ns:
            due_ns = inbox[0][0]
        rq = self.rq
        task = rq.curr
        at = task.at
        if due_ns <= self.now_ns or at >= ASKED or (at == IDLE and not rq.need_resched):
            return due_ns
        if at != USER or not task.remaining_ns or task.sigpending or rq.need_resched:
            return self.now_ns
        # Nothing of this CPU's own can happen while its task computes, before a tick.
        next_ns = self.now_ns + self.wall_ns(task)
        if rq.nr_running > 1 or task.cputimer:
            next_ns = min(next_ns, (self.now_ns // self.tick_ns + 1) * self.tick_ns)
        elif self.ticks_alone:
            next_ns = ticks.end_alone(self, task)
        return due_ns if due_ns < next_ns else next_ns

    def _run(self, horizon_ns: int) -> None:
        """Advance event by event; see the module header.

        Where the task stands is asked by comparisons. A table of functions by position takes three
        times as many instructions in the compiled core (200 for 60), a tenth fewer in the pure one.
        """
        rq = self.rq
        inbox = self.inbox
        timers = self.timers
        eager = self.eager
        while True:
            if eager and (self.out or self.forwards):
                return
            due_ns = inbox[0][0] if inbox else m.NEVER
            if timers.next_ns < due_ns:
                due_ns = timers.next_ns
                if due_ns <= self.now_ns:
                    run_timer(self)
                    continue
            elif due_ns <= self.now_ns:
                apply(self, (heappop(inbox) if len(inbox) > 1 else inbox.pop())[2])
                continue
            task = rq.curr
            at = task.at
            if at >= ASKED:
                # its task is in the kernel: the CPU is busy until the next message
                if due_ns > horizon_ns:
                    return
                start_ns = self.now_ns
                used_ns = due_ns - start_ns
                task.stime_ns += used_ns
                self.stats.system_ns += used_ns
                self.now_ns = due_ns
                if rq.nr_running > 1 or task.cputimer or self.ticks_alone:
                    tick_ns = self.tick_ns
                    crossed = due_ns // tick_ns - start_ns // tick_ns
                    if crossed:
                        ticks.tick(self, crossed)
                        continue
                if inbox and inbox[0][0] <= due_ns:  # else it is a timer's
                    apply(self, (heappop(inbox) if len(inbox) > 1 else inbox.pop())[2])
                continue
            if self.now_ns > horizon_ns:
                return
            if rq.need_resched:
                self._schedule()
            elif at == IDLE:
                if due_ns > horizon_ns or (horizon_ns == m.END and not inbox):
                    return
                ticks.idle(self, due_ns)
            elif at == IN_KERNEL:
                self._go_on(task)
            elif task.sigpending:
                self._user_work(task)
            elif task.remaining_ns:
                if self.now_ns >= horizon_ns:
                    return
                self._burn(task, due_ns if due_ns < horizon_ns else horizon_ns)
            elif task.op is not None:
                enter(self, task, task.op)
            elif task.resident:
                self._resume_there(task)
            else:
                self._resume(task, due_ns, horizon_ns)

    def _user_work(self, task: CpuTask) -> None:
        """A signal is pending on the way to user mode: let the kernel see to it."""
        task.sigpending = False
        if task.op is None and task.remaining_ns:  # in compute()
            task.op = (nr.NR_COMPUTE, task.remaining_ns)
            task.remaining_ns = 0
        self.out.append(
            m.req_user_work(
                self.now_ns, self.id, self._asks(task), task.pid, task.utime_ns, task.stime_ns,
                task.nivcsw, task.run_delay_ns, task.op if task.resident else None,
            )
        )  # fmt: skip

    def _resume(self, task: CpuTask, due_ns: int, horizon_ns: int) -> None:
        """Run the current task's next blocks; if nothing comes between, pay them and go on."""
        forked = task.fork_of
        if forked:
            goes_on(self, task)
        value, error = task.value, task.error
        task.value = task.error = None
        ctx = task.ctx
        if ctx is None:
            if task.program is None:
                raise AssertionError(f"cpu {self.id}: {task!r} has no context")
            ctx = task.ctx = self._loader.start(*task.program)
            task.program = None
        op = (
            ctx.resume(value, error)
            if self.instrument is None
            else self.instrument(ctx, value, error)
        )
        task.op = op
        steps = ctx.steps
        stats = self.stats
        stats.blocks += steps
        cost_ns = steps * self.block_ns
        if forked == task.pid:  # it is the child; where it shares memory it is not resumed here
            cost_ns += copies_ns(self.costs, op)
        start_ns = self.now_ns
        end_ns = start_ns + cost_ns
        if (
            end_ns > horizon_ns
            or end_ns >= due_ns
            or (
                (self.rq.nr_running > 1 or task.cputimer or self.ticks_alone)
                and start_ns // self.tick_ns != end_ns // self.tick_ns
            )
        ):
            task.remaining_ns = cost_ns
            return
        task.utime_ns += cost_ns
        stats.user_ns += cost_ns
        self.now_ns = end_ns
        enter(self, task, op)

    # -- time ---------------------------------------------------------------------------------

    def wall_ns(self, task: CpuTask) -> int:
        """Return how long it takes to burn what ``task`` has left; ``kernel.cpu.rated``: longer."""
        return task.remaining_ns

    def sibling(self, cpu: int, busy: bool) -> None:
        """Another CPU of the core has begun or ended to idle: ``kernel.cpu.rated``."""
        raise InvariantError(f"cpu {self.id} shares no core, and hears of cpu {cpu}")

    def _burn(self, task: CpuTask, stop_ns: int) -> None:
        """Let ``task`` use user time until it is used up, ``stop_ns``, or a tick."""
        if task.fork_of:
            goes_on(self, task)
        start_ns = self.now_ns
        end_ns = start_ns + task.remaining_ns
        tick = False
        several = self.rq.nr_running > 1 or task.cputimer
        if several or self.ticks_alone:
            tick_at_ns = (start_ns // self.tick_ns + 1) * self.tick_ns
            if tick_at_ns <= end_ns and tick_at_ns <= stop_ns:
                if not several:
                    ticks.skip(self, task, tick_at_ns, stop_ns)
                    if self.now_ns != start_ns:
                        return
                stop_ns = tick_at_ns
                tick = True
        if end_ns > stop_ns:
            end_ns = stop_ns
        used_ns = end_ns - start_ns
        task.remaining_ns -= used_ns
        task.utime_ns += used_ns
        self.stats.user_ns += used_ns
        self.now_ns = end_ns
        if tick and end_ns == stop_ns:
            ticks.tick(self)

    def close(self) -> None:
        """Interrupts go off; if they came on only now, what had come meanwhile still waits."""
        if self._open_ns != self.now_ns:
            self._closed_ns = self.now_ns

    def open(self) -> None:
        """Interrupts go on."""
        self._open_ns = self.now_ns

    # -- the current task ---------------------------------------------------------------------

    def next_seq(self) -> int:
        """Return the number of this CPU's next request."""
        self._seq += 1
        return self._seq

    def packed_clocks(self) -> tuple[int, ...]:
        """Return how far requests and messages are numbered, and when interrupts were off."""
        return self._arrivals, self._seq, self._closed_ns, self._open_ns

    def unpack_clocks(self, data: Sequence[int]) -> None:
        """Take what ``packed_clocks`` returned."""
        self._arrivals, self._seq, self._closed_ns, self._open_ns = data[:4]

    def _asks(self, task: CpuTask) -> int:
        """The current task asks the kernel, and the CPU waits; return the request's number."""
        if task.went_on or self.rq.pelt is not None:
            say(self, task)
        move(self, task, ASK)
        self.stats.requests += 1
        seq = self._seq = self._seq + 1
        return seq

    def call(self, task: CpuTask, op: Op, ctx: UserContext | None) -> None:
        """The current task makes the system call ``op``; ``ctx`` goes to live with the kernel."""
        if task.went_on or self.rq.pelt is not None:
            say(self, task)
        move(self, task, ASK)  # as _asks() does
        self.stats.requests += 1
        seq = self._seq = self._seq + 1
        self.out.append(
            m.req_syscall(
                self.now_ns, self.id, seq, task.pid,
                task.utime_ns, task.stime_ns, task.nivcsw, task.run_delay_ns, op, ctx,
            )
        )  # fmt: skip

    def _go_on(self, task: CpuTask) -> None:
        """The current task goes on in its system call."""
        seq = self._asks(task)
        self.out.append(
            m.req_continue(
                self.now_ns, self.id, seq, task.pid, task.utime_ns, task.stime_ns,
                task.nivcsw, task.run_delay_ns,
            )
        )  # fmt: skip

    def _resume_there(self, task: CpuTask) -> None:
        """The next blocks of the current task run where its context lives, with the kernel."""
        value, task.value = task.value, None
        self.out.append(
            m.req_resume(
                self.now_ns, self.id, self._asks(task),
                task.pid, task.utime_ns, task.stime_ns, task.nivcsw, task.run_delay_ns,
                value,
            )
        )  # fmt: skip

    def _schedule(self) -> None:
        """Pick the next task and switch to it.

        Source: kernel/sched/core.c:__schedule().
        """
        rq = self.rq
        prev = rq.curr
        rq.clock_ns = self.now_ns
        if rq.moves:
            push_moves(self)
        if prev.cpus_allowed is not None and not core.is_cpu_allowed(prev, self.id):
            push(self, prev, prev.cpus_allowed[0])
            return
        if rq.push_cpu >= 0:
            dest, rq.push_cpu = rq.push_cpu, -1
            may = prev is not rq.idle and (rq.nr_running > 1 or rq.pelt is not None)
            if may and core.is_cpu_allowed(prev, dest):
                push(self, prev, dest)
                return
        self.switch(prev, TASK_RUNNING if prev is rq.idle else TASK_REPORT_MAX)

    def switch(self, prev: CpuTask, prev_state: int) -> None:
        """Switch from ``prev`` (already dequeued if it does not stay runnable)."""
        rq = self.rq
        core.put_prev_task(rq, prev)
        task = core.pick_next_task(rq)
        if rq.moves:
            push_moves(self)
        if rq.mail:
            send_mail(self)
        if task is prev:
            if rq.hrtick is not None:
                hrtick.begin(rq, rq.hrtick, again=True)
            return
        stats = self.stats
        stats.nr_switches += 1
        if prev is not rq.idle:
            if prev_state == TASK_REPORT_MAX:
                prev.nivcsw += 1
                stats.nr_involuntary += 1
            else:
                prev.nvcsw += 1
                stats.nr_voluntary += 1
        if self.tracing:
            self.trace.append(
                (
                    self.now_ns,
                    SCHED_SWITCH,
                    prev.comm,
                    prev.pid,
                    prev.prio,
                    prev_state,
                    task.comm,
                    task.pid,
                    task.prio,
                )
            )
        self.close()
        self.now_ns += self._switch_ns
        now_ns = self._open_ns = rq.clock_ns = self.now_ns
        stats.system_ns += self._switch_ns
        if task is not rq.idle:
            task.exec_start_ns = now_ns
            if rq.hrtick is not None:
                hrtick.begin(rq, rq.hrtick, again=False)
            task.run_delay_ns += now_ns - task.enqueued_at_ns
            stats.rq_wait.record(now_ns - task.enqueued_at_ns)
            if task.forked_at_ns >= 0:
                stats.fork_to_run.record(now_ns - task.forked_at_ns)
                task.forked_at_ns = -1

    def leave(self, task: CpuTask, state: int) -> None:
        """The current task goes to sleep or dies: take it off the queue and run another."""
        rq = self.rq
        rq.clock_ns = self.now_ns
        core.deactivate_task(rq, task, core.dequeue_flags(state))
        self.switch(task, state)

    def enqueue(self, task: CpuTask, flags: int, at_ns: int) -> None:
        """Queue ``task``, runnable since ``at_ns``, and see whether it preempts."""
        rq = self.rq
        rq.clock_ns = self.now_ns
        core.activate_task(rq, task, flags)
        task.enqueued_at_ns = at_ns
        fork = flags & core.ENQUEUE_INITIAL
        core.check_preempt_curr(rq, task, core.WF_FORK if fork else core.WF_TTWU)
        core.task_woken(rq, task)

    def late(self, at_ns: int) -> None:
        """Count a causality violation if this comes from the CPU's past.

        What came while interrupts were off, in the tick or the switch that ends now, is in time.

        Raises:
            InvariantError: under the scheme ``exact``, where this cannot be.
        """
        now_ns = self.now_ns
        if at_ns < now_ns and not (self._closed_ns <= at_ns and self._open_ns == now_ns):
            if self.eager:
                raise InvariantError(
                    f"cpu {self.id} is at {now_ns} ns and gets an effect of {at_ns} ns: "
                    "under exact nothing comes late"
                )
            self.stats.violation(now_ns - at_ns)
