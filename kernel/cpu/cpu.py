"""``Cpu``: the logical process of one simulated CPU.

It owns a runqueue, the clock, and the CPU-resident half of every task that ran here last. Its one
door is ``step(horizon_ns, effects)``: take what other LPs sent, run up to the horizon or until the
current task needs an answer from the kernel, and leave requests in ``out`` and messages for other
CPUs in ``forwards``.

Between two events the CPU does one of four things: it idles; it waits, busy in kernel mode, for the
answer to the current task's system call; it burns the current task's remaining user time; or it
lets the current task run its next basic blocks. Blocks are executed when they start, and their
cost is burnt afterwards, so a block's effects are ordered by its end; a preemption falls between.

Effects come in with a time. One that is due while a task burns user time interrupts it there. One
from this CPU's past (the scheme let the CPU run ahead) is applied at once and counted as a
causality violation with its lateness. Under the scheme ``exact`` (``eager``) there are none: a step
ends as soon as the CPU has said something, for the answer may come before what else is in its
inbox.

The tick happens at multiples of 1/HZ, but only while something else is runnable (NO_HZ): alone on
its CPU a task cannot be preempted by a tick anyway. A task whose process has timers on CPU time
gets every tick, and enters the kernel for it.

Source: kernel/sched/core.c (__schedule, scheduler_tick), arch entry code (exit_to_user_mode).
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any, Final

from kernel import messages as m
from kernel.boot.smpboot_names import boot_kthreads_of
from kernel.cpu.task import CpuTask
from kernel.errors import InvariantError
from kernel.events import (
    SCHED_MIGRATE_TASK,
    SCHED_SWITCH,
    SCHED_WAKEUP,
    SCHED_WAKEUP_NEW,
)
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.detach import detach_tasks
from kernel.sched.rq import Rq
from kernel.stats import CpuStats
from kernel.uapi import clone as c
from kernel.uapi import syscalls as nr
from kernel.uapi.task_state import TASK_DEAD, TASK_REPORT_MAX, TASK_RUNNING
from kernel.user import Error, Loader, Op, UserContext

_NEEDS_SHARED_HEAP: Final = frozenset((nr.NR_VFORK, nr.NR_THREAD_START))
_CLONES: Final = frozenset((nr.NR_CLONE, nr.NR_CLONE3))  # likewise with CLONE_VM
# what a CPU does by itself
_LOCAL: Final = frozenset(
    (
        nr.NR_COMPUTE,
        nr.NR_GETPID,
        nr.NR_GETTID,
        nr.NR_PREEMPT_POINT,
        nr.NR_SCHED_YIELD,
        nr.NR_CLOCK_GETTIME,
        nr.NR_GETTIMEOFDAY,
        nr.NR_FATAL,
    )
)


# of these, what a C library asks the kernel for
_TRACED: Final = frozenset((nr.NR_GETPID, nr.NR_GETTID, nr.NR_SCHED_YIELD))


class Cpu:
    """One simulated CPU. See the module header."""

    __slots__ = (
        "_arrivals",
        "_block_ns",
        "_closed_ns",
        "_early",
        "_epoch_ns",
        "_inbox",
        "_loader",
        "_moved",
        "_open_ns",
        "_seq",
        "_switch_ns",
        "_tick_ns",
        "_tick_cost_ns",
        "_tracing",
        "_waiting",
        "eager",
        "forwards",
        "id",
        "instrument",
        "now_ns",
        "out",
        "rq",
        "stats",
        "tasks",
        "trace",
    )

    def __init__(self, cpu: int, spec: MachineSpec, loader: Loader) -> None:
        self.id = cpu
        self.now_ns = 0
        self.rq = Rq(cpu, spec)
        self.tasks: dict[int, CpuTask] = {}  # runnable, current or parked here
        self.out: list[m.Request] = []
        self.forwards: list[tuple[int, m.Effect]] = []  # (destination CPU, message)
        self.trace: list[tuple[Any, ...]] = []
        self.stats = CpuStats()
        # called instead of ctx.resume() while the engine samples where host time goes
        self.instrument: Callable[[UserContext, Any, Error | None], Op] | None = None
        self._inbox: list[tuple[int, int, m.Effect]] = []
        self._arrivals = 0  # order of messages with equal times
        self._early: dict[int, list[m.Effect]] = {}  # pid -> effects that came before the task
        # pid -> (CPU it was given to, how often the kernel still has to say that it knows)
        self._moved: dict[int, tuple[int, int]] = {}
        self._waiting: CpuTask | None = None  # the current task, while it waits for an answer
        self._seq = 0
        # scheme exact: step() ends as soon as anybody is told anything, and nothing comes late
        self.eager = False
        self._closed_ns = self._open_ns = 0  # from when to when interrupts were off last
        self._loader = loader
        self._tracing = spec.trace
        self._block_ns = spec.costs.guest_block
        self._switch_ns = spec.costs.context_switch
        self._tick_ns = 1_000_000_000 // spec.hz
        self._tick_cost_ns = spec.costs.tick
        self._epoch_ns = spec.epoch_ns
        if cpu == 0:
            for pid, comm in ((1, "init"), (2, "kthreadd")):
                boot = CpuTask(pid, pid, comm)
                boot.in_kernel = True
                self.tasks[pid] = boot
        for pid, comm in boot_kthreads_of(spec, cpu):
            boot = CpuTask(pid, pid, comm)
            boot.in_kernel = True
            boot.cpus_allowed = (cpu,)
            self.tasks[pid] = boot

    # -- the one door -------------------------------------------------------------------------

    def step(self, horizon_ns: int, effects: Iterable[m.Effect]) -> int:
        """Take ``effects`` and run up to ``horizon_ns``; return the time of the next own event.

        That time is NEVER when the CPU idles or waits and nothing is on its way in.
        """
        inbox = self._inbox
        for effect in effects:
            self._arrivals += 1
            heappush(inbox, (effect[0], self._arrivals, effect))
        self._run(horizon_ns)
        if inbox and (inbox[0][0] <= self.now_ns or self._waiting or self._idle()):
            return inbox[0][0]
        if self._waiting or self._idle():
            return m.NEVER
        task = self.rq.curr
        if not task.remaining_ns or task.in_kernel or task.sigpending or self.rq.need_resched:
            return self.now_ns
        # Nothing of this CPU's own can happen while its task computes, before a tick.
        next_ns = self.now_ns + task.remaining_ns
        if self.rq.nr_running > 1 or task.cputimer:
            next_ns = min(next_ns, (self.now_ns // self._tick_ns + 1) * self._tick_ns)
        if inbox and inbox[0][0] < next_ns:
            return inbox[0][0]
        return next_ns

    def _idle(self) -> bool:
        return self.rq.curr is self.rq.idle and not self.rq.need_resched

    def _run(self, horizon_ns: int) -> None:
        """Advance event by event; see the module header."""
        rq = self.rq
        inbox = self._inbox
        idle = rq.idle
        eager = self.eager
        while True:
            if eager and (self.out or self.forwards):
                return
            if inbox:
                due_ns = inbox[0][0]
                if due_ns <= self.now_ns:
                    self._apply(heappop(inbox)[2])
                    continue
            else:
                due_ns = m.NEVER
            if self._waiting is not None:
                if due_ns > horizon_ns:
                    return
                self._pass_kernel_time(self._waiting, due_ns)
                continue
            if self.now_ns > horizon_ns:
                return
            if rq.need_resched:
                self._schedule()
                continue
            task = rq.curr
            if task is idle:
                if due_ns > horizon_ns:
                    return
                self.stats.idle_ns += due_ns - self.now_ns
                self.now_ns = due_ns
            elif task.in_kernel:
                task.in_kernel = False
                self._request(task, m.REQ_CONTINUE)
            elif task.sigpending:
                task.sigpending = False
                if task.op is None and task.remaining_ns:  # in compute()
                    task.op = (nr.NR_COMPUTE, task.remaining_ns)
                    task.remaining_ns = 0
                self._request(task, m.REQ_USER_WORK, task.op if task.resident else None)
            elif task.remaining_ns:
                if self.now_ns >= horizon_ns:
                    return
                self._burn(task, due_ns if due_ns < horizon_ns else horizon_ns)
            elif task.op is not None:
                self._enter(task, task.op)
            elif task.resident:
                value, task.value = task.value, None
                self._request(task, m.REQ_RESUME, value)
            else:
                self._resume(task, due_ns, horizon_ns)

    def _resume(self, task: CpuTask, due_ns: int, horizon_ns: int) -> None:
        """Run the current task's next blocks; if nothing comes between, pay them and go on."""
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
        cost_ns = steps * self._block_ns
        start_ns = self.now_ns
        end_ns = start_ns + cost_ns
        if (
            end_ns > horizon_ns
            or end_ns >= due_ns
            or (
                (self.rq.nr_running > 1 or task.cputimer)
                and start_ns // self._tick_ns != end_ns // self._tick_ns
            )
        ):
            task.remaining_ns = cost_ns
            return
        task.utime_ns += cost_ns
        stats.user_ns += cost_ns
        self.now_ns = end_ns
        self._enter(task, op)

    # -- time ---------------------------------------------------------------------------------

    def _burn(self, task: CpuTask, stop_ns: int) -> None:
        """Let ``task`` use user time until it is used up, ``stop_ns``, or a tick."""
        start_ns = self.now_ns
        end_ns = start_ns + task.remaining_ns
        tick = False
        if self.rq.nr_running > 1 or task.cputimer:
            tick_at_ns = (start_ns // self._tick_ns + 1) * self._tick_ns
            if tick_at_ns <= end_ns and tick_at_ns <= stop_ns:
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
            self._tick()

    def _pass_kernel_time(self, task: CpuTask, until_ns: int) -> None:
        """``task`` is in the kernel: its CPU is busy until the next message."""
        start_ns = self.now_ns
        used_ns = until_ns - start_ns
        task.stime_ns += used_ns
        self.stats.system_ns += used_ns
        self.now_ns = until_ns
        if (
            self.rq.nr_running > 1 or task.cputimer
        ) and start_ns // self._tick_ns != until_ns // self._tick_ns:
            self._tick()

    def _close(self) -> None:
        """Interrupts go off; if they came on only now, what had come meanwhile still waits."""
        if self._open_ns != self.now_ns:
            self._closed_ns = self.now_ns

    def _tick(self) -> None:
        self.stats.ticks += 1
        self.stats.system_ns += self._tick_cost_ns
        self._close()
        self.now_ns += self._tick_cost_ns
        self._open_ns = self.rq.clock_ns = self.now_ns
        core.scheduler_tick(self.rq)
        if self.rq.curr.cputimer:
            self.rq.curr.sigpending = True  # run_posix_cpu_timers() is the kernel's

    # -- the current task ---------------------------------------------------------------------

    def _request(self, task: CpuTask, code: int, *arguments: Any) -> None:
        """Ask the kernel on behalf of the current task and wait for the answer."""
        self._seq += 1
        self.stats.requests += 1
        self.out.append(
            (
                self.now_ns,
                self.id,
                self._seq,
                code,
                task.pid,
                task.utime_ns,
                task.stime_ns,
                task.nivcsw,
                *arguments,
            )
        )
        self._waiting = task

    def _post(self, code: int, pid: int, *arguments: Any) -> None:
        """Tell the kernel something that needs no answer."""
        self._seq += 1
        self.out.append((self.now_ns, self.id, self._seq, code, pid, 0, 0, 0, *arguments))

    def _enter(self, task: CpuTask, op: Op) -> None:
        """The current task's op is due: do it here if it needs no kernel state, else ask."""
        number = op[0]
        if number not in _LOCAL or (task.slow_door and number in _TRACED):
            ctx = None
            if not task.resident and (
                number in _NEEDS_SHARED_HEAP or (number in _CLONES and op[1] & c.CLONE_VM)
            ):
                ctx = task.ctx
                task.ctx = None
                task.resident = True
            self._request(task, m.REQ_SYSCALL, op, ctx)
            return
        value: Any = None
        if number == nr.NR_COMPUTE:
            task.remaining_ns = op[1]
        elif number == nr.NR_GETPID:
            value = task.tgid
            if not value:
                self._request(task, m.REQ_SYSCALL, op, None)
                return
        elif number == nr.NR_GETTID:
            if not task.tgid:
                self._request(task, m.REQ_SYSCALL, op, None)
                return
            value = task.pid
        elif number == nr.NR_SCHED_YIELD:
            self.rq.clock_ns = self.now_ns
            core.yield_task(self.rq)
        elif number == nr.NR_CLOCK_GETTIME:
            value = self._clock_gettime(task, op[1])
            if value is None:
                self._request(task, m.REQ_SYSCALL, op, None)
                return
        elif number == nr.NR_GETTIMEOFDAY:
            value = self._epoch_ns + self.now_ns
        elif number == nr.NR_FATAL:
            self._post(m.REQ_FATAL, task.pid, op[1])
            self._waiting = task  # for ever: the run ends here
            return
        task.op = None
        task.value = value

    def _clock_gettime(self, task: CpuTask, clock: int) -> int | None:
        """Return a clock the CPU can read by itself, or None.

        The process clock is not one of them: threads that are gone count too.
        """
        if clock == 1:
            return self.now_ns
        if clock == 0:
            return self._epoch_ns + self.now_ns
        if task.slow_door:
            return None  # to be seen by its tracer
        if clock == 3:
            return task.utime_ns + task.stime_ns
        return None

    def _schedule(self) -> None:
        """Pick the next task and switch to it.

        Source: kernel/sched/core.c:__schedule().
        """
        rq = self.rq
        prev = rq.curr
        rq.clock_ns = self.now_ns
        if prev.cpus_allowed is not None and not core.is_cpu_allowed(prev, self.id):
            self._push(prev, prev.cpus_allowed[0])
            return
        if rq.push_cpu >= 0:
            dest, rq.push_cpu = rq.push_cpu, -1
            if rq.nr_running > 1 and core.is_cpu_allowed(prev, dest):
                self._push(prev, dest)
                return
        self._switch(prev, TASK_RUNNING if prev is rq.idle else TASK_REPORT_MAX)

    def _switch(self, prev: CpuTask, prev_state: int) -> None:
        """Switch from ``prev`` (already dequeued if it does not stay runnable)."""
        rq = self.rq
        core.put_prev_task(rq, prev)
        task = core.pick_next_task(rq)
        if task is prev:
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
        if self._tracing:
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
        self._close()
        self.now_ns += self._switch_ns
        now_ns = self._open_ns = rq.clock_ns = self.now_ns
        stats.system_ns += self._switch_ns
        if task is not rq.idle:
            task.exec_start_ns = now_ns
            stats.rq_wait.record(now_ns - task.enqueued_at_ns)
            if task.forked_at_ns >= 0:
                stats.fork_to_run.record(now_ns - task.forked_at_ns)
                task.forked_at_ns = -1

    def _leave(self, task: CpuTask, state: int) -> None:
        """The current task goes to sleep or dies: take it off the queue and run another."""
        rq = self.rq
        rq.clock_ns = self.now_ns
        core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
        self._switch(task, state)

    # -- messages -----------------------------------------------------------------------------

    def _apply(self, effect: m.Effect) -> None:
        """Apply one message that is due."""
        code, pid = effect[1], effect[2]
        handler = _HANDLERS.get(code)
        if handler is not None:
            task = self.tasks.get(pid)
            if task is not None:
                handler(self, task, effect)
            elif pid in self._moved:
                self.forwards.append((self._moved[pid][0], effect))
            else:
                self._early.setdefault(pid, []).append(effect)
        elif code == m.ARRIVE:
            self._arrive(effect)
        elif code == m.EFF_SPAWN:
            self._spawn(effect)
        elif code == m.EFF_KTHREAD:
            self._new_kthread(effect)
        elif code == m.EFF_PULL:
            self._give(effect[3])
        elif code == m.EFF_BALANCE:
            self._balance(effect)
        else:
            self._moved_ack(pid)

    def _moved_ack(self, pid: int) -> None:
        """The kernel knows of one move: whatever it sent here about the task has come."""
        dest, unknown = self._moved.pop(pid)
        if unknown > 1:  # it has been back and left again
            self._moved[pid] = (dest, unknown - 1)

    def _note_move(self, pid: int, dest: int, code: int) -> None:
        """Tell the kernel of a move, and pass on what comes for the task until it has heard."""
        before = self._moved.get(pid)
        self._moved[pid] = (dest, 1 if before is None else before[1] + 1)
        self._post(code, pid, dest)

    def _late(self, at_ns: int) -> None:
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

    def _on_return(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None
        task.op = None
        task.value = effect[3]

    def _on_error(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None
        task.op = None
        task.error = effect[3]

    def _on_next(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None
        task.op = effect[3]
        # what the block before had left, if a signal came in it
        task.remaining_ns += effect[4] * self._block_ns

    def _on_take(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None
        task.resident = False
        task.op = None
        _, _, _, task.ctx, task.value, task.error = effect

    def _on_handle(self, task: CpuTask, effect: m.Effect) -> None:
        """Handlers have run before, in or after a system call: tell the context."""
        self._waiting = None
        _, _, _, signals, how, until_ns, value, error = effect
        ctx = task.ctx
        if ctx is None:
            raise AssertionError(f"cpu {self.id}: {task!r} has no context")
        op = task.op
        if signals:
            ctx.trip(signals)
        if op is None:
            return  # before the next block, which still waits for its value
        task.op = None
        if how:
            ctx.interrupt(op, how, until_ns)
        else:
            task.value = value
            task.error = error

    def _on_user(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None

    def _on_exec(self, task: CpuTask, effect: m.Effect) -> None:
        _, _, _, image, argv, env, comm, dest, start = effect
        self._waiting = None
        task.comm = comm
        task.resident = False
        task.op = task.value = task.error = None
        task.remaining_ns = 0
        task.ctx = None  # made where it first runs: a program's name travels lighter than a context
        task.program = (image, argv, env, start)
        if dest != self.id:
            rq = self.rq
            rq.clock_ns = self.now_ns
            core.deactivate_task(rq, task, core.DEQUEUE_MOVE)
            self._switch(task, TASK_REPORT_MAX)
            self._send_away(task, dest, m.BY_EXEC, effect[0])

    def _on_sleep(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None
        task.in_kernel = True
        task.sigpending = False
        self._leave(task, effect[3])

    def _on_dead(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None
        del self.tasks[task.pid]
        task.ctx = None
        self._leave(task, TASK_DEAD)

    def _on_fork(self, parent: CpuTask, effect: m.Effect) -> None:
        at_ns, _, _, pid, tgid, comm, nice, dest, resident, ctx, vfork = effect
        child = CpuTask(pid, tgid, comm, nice, parent.policy)
        child.resident = resident
        if not resident:
            child.ctx = parent.ctx.fork() if ctx is None else ctx  # type: ignore[union-attr]
        child.value = 0
        child.forked_at_ns = at_ns
        self.rq.clock_ns = self.now_ns
        core.task_fork(self.rq, parent, child, vfork, here=dest == self.id)
        if dest == self.id:
            self.tasks[pid] = child
            self._start(child, at_ns)
        else:
            self._send_away(child, dest, m.BY_FORK, at_ns)

    def _spawn(self, effect: m.Effect) -> None:
        at_ns, _, pid, tgid, comm, nice, image, argv, env, start = effect
        self._late(at_ns)
        child = CpuTask(pid, tgid, comm, nice)
        child.program = (image, argv, env, start)
        child.forked_at_ns = at_ns
        self.tasks[pid] = child
        self._start(child, at_ns)

    def _new_kthread(self, effect: m.Effect) -> None:
        at_ns, _, pid, tgid, comm, nice = effect
        self._late(at_ns)
        child = CpuTask(pid, tgid, comm, nice)
        child.in_kernel = True  # and never leaves it
        child.forked_at_ns = at_ns
        self.tasks[pid] = child
        self._start(child, at_ns)

    def _on_resched(self, task: CpuTask, effect: m.Effect) -> None:
        self._waiting = None
        task.in_kernel = True

    def _start(self, child: CpuTask, at_ns: int) -> None:
        """Queue a new task here for the first time."""
        self._enqueue(child, core.ENQUEUE_INITIAL, at_ns)
        if self._tracing:
            self._trace_wakeup(SCHED_WAKEUP_NEW, child)

    def _on_wake(self, task: CpuTask, effect: m.Effect) -> None:
        at_ns, _, _, dest = effect
        self._late(at_ns)
        if dest == self.id:
            self._enqueue(task, core.ENQUEUE_WAKEUP, at_ns)
            if self._tracing:
                self._trace_wakeup(SCHED_WAKEUP, task)
        else:
            self.rq.clock_ns = self.now_ns
            core.migrate_task_rq(self.rq, task)
            self._send_away(task, dest, m.BY_WAKE, at_ns)

    def _enqueue(self, task: CpuTask, flags: int, at_ns: int) -> None:
        rq = self.rq
        rq.clock_ns = self.now_ns
        core.activate_task(rq, task, flags)
        task.enqueued_at_ns = at_ns
        core.check_preempt_curr(
            rq, task, core.WF_FORK if flags & core.ENQUEUE_INITIAL else core.WF_TTWU
        )

    def _trace_wakeup(self, event: int, task: CpuTask) -> None:
        self.trace.append((self.now_ns, event, task.comm, task.pid, task.prio, self.id))

    def _on_signal(self, task: CpuTask, effect: m.Effect) -> None:
        self._late(effect[0])
        task.sigpending = True

    def _on_rename(self, task: CpuTask, effect: m.Effect) -> None:
        del self.tasks[task.pid]
        task.pid = effect[3]
        self.tasks[task.pid] = task

    def _on_traced(self, task: CpuTask, effect: m.Effect) -> None:
        task.slow_door = effect[3]

    def _on_tune(self, task: CpuTask, effect: m.Effect) -> None:
        """Something of the task that the scheduler or the tick looks at has changed."""
        what, value = effect[3], effect[4]
        if what == m.TUNE_CPUTIMER:
            task.cputimer = value
        elif what == m.TUNE_COMM:
            task.comm = value
        elif what == m.TUNE_POLICY:
            self.rq.clock_ns = self.now_ns
            core.sched_setscheduler(self.rq, task, *value)
        elif what == m.TUNE_PUSH:
            self.rq.clock_ns = self.now_ns
            pushed = core.pushable_task(self.rq, task, value)
            if pushed is not None and value != self.id:
                self._push(pushed, value)
        else:
            task.cpus_allowed = None if value is None else tuple(value)
            if task.on_rq and not core.is_cpu_allowed(task, self.id):
                if task is self.rq.curr:
                    self.rq.need_resched = True
                else:
                    self.rq.clock_ns = self.now_ns
                    self._push(task, task.cpus_allowed[0])  # type: ignore[index]

    def _push(self, task: CpuTask, dest: int) -> None:
        """Move a runnable task that may not run here, or has to wait here, to CPU ``dest``."""
        rq = self.rq
        running = task is rq.curr
        core.deactivate_task(rq, task, core.DEQUEUE_MOVE)
        if running:
            self._switch(task, TASK_REPORT_MAX)
        self._note_move(task.pid, dest, m.REQ_PUSHED)
        self._send_away(task, dest, m.BY_PUSH, self.now_ns)

    def _on_renice(self, task: CpuTask, effect: m.Effect) -> None:
        self.rq.clock_ns = self.now_ns
        core.set_user_nice(self.rq, task, effect[3])

    def _give(self, dest: int) -> None:
        """Give a queued task to ``dest``, which idles, or say that there is none to give."""
        rq = self.rq
        rq.clock_ns = self.now_ns
        task = core.detach_one(rq, self.now_ns, dest)
        if task is None:
            self.stats.pull_failures += 1
            self._post(m.REQ_PULL_FAILED, 0, dest)
            return
        self._note_move(task.pid, dest, m.REQ_MIGRATED)
        self._send_away(task, dest, m.BY_PULL, task.enqueued_at_ns)

    def _balance(self, effect: m.Effect) -> None:
        """This CPU is too busy for another: give what may go, and say how much that was.

        Source: kernel/sched/fair.c:load_balance(), active_load_balance_cpu_stop().
        Deviation: active balance takes the running task at its next return to user mode; Linux's
        stopper takes the first task that may go, once it has the CPU.
        """
        _, _, _, dest, dest_idle, kind, imbalance, failed, active = effect
        rq = self.rq
        rq.clock_ns = self.now_ns
        tasks, all_pinned = detach_tasks(rq, dest, dest_idle, kind, imbalance, failed)
        for task in tasks:
            self._note_move(task.pid, dest, m.REQ_PUSHED)
            self._send_away(task, dest, m.BY_PULL, task.enqueued_at_ns)
        curr = rq.curr
        pushes = (
            active
            and not tasks
            and curr.sched_class is rq.fair_class
            and rq.nr_running > 1
            and core.is_cpu_allowed(curr, dest)
        )
        if pushes:
            rq.push_cpu = dest
            rq.need_resched = True
        self._post(m.REQ_BALANCED, 0, dest, len(tasks), all_pinned, pushes)

    def _send_away(self, task: CpuTask, dest: int, reason: int, since_ns: int) -> None:
        """Pass a task's CPU half to another CPU; ``since_ns`` is when it became runnable."""
        self.tasks.pop(task.pid, None)
        self.stats.migrations_out += 1
        if self._tracing and reason != m.BY_FORK:
            self.trace.append(
                (
                    self.now_ns,
                    SCHED_MIGRATE_TASK,
                    task.comm,
                    task.pid,
                    task.prio,
                    self.id,
                    dest,
                )
            )
        if reason != m.BY_PULL:
            task.enqueued_at_ns = since_ns
        at_ns = self.now_ns if reason == m.BY_PULL else since_ns
        self.forwards.append((dest, (at_ns, m.ARRIVE, task.pid, task, reason)))

    def _arrive(self, effect: m.Effect) -> None:
        at_ns, _, pid, task, reason = effect
        self._late(at_ns)
        self.tasks[pid] = task
        if reason != m.BY_FORK:
            self.stats.migrations_in += 1
        rq = self.rq
        rq.clock_ns = self.now_ns
        if reason == m.BY_FORK:
            self._start(task, task.enqueued_at_ns)
        elif reason == m.BY_WAKE:
            self._enqueue(task, core.ENQUEUE_WAKEUP | core.ENQUEUE_MIGRATED, at_ns)
            if self._tracing:
                self._trace_wakeup(SCHED_WAKEUP, task)
        else:
            self.stats.pulls += reason == m.BY_PULL
            core.attach(rq, task)
        early = self._early.pop(pid, None)
        if early is not None:
            for waiting in early:
                self._apply(waiting)


_HANDLERS: Final[dict[int, Callable[[Cpu, CpuTask, m.Effect], None]]] = {
    m.EFF_RETURN: Cpu._on_return,
    m.EFF_ERROR: Cpu._on_error,
    m.EFF_NEXT: Cpu._on_next,
    m.EFF_TAKE: Cpu._on_take,
    m.EFF_EXEC: Cpu._on_exec,
    m.EFF_SLEEP: Cpu._on_sleep,
    m.EFF_DEAD: Cpu._on_dead,
    m.EFF_USER: Cpu._on_user,
    m.EFF_HANDLE: Cpu._on_handle,
    m.EFF_FORK: Cpu._on_fork,
    m.EFF_WAKE: Cpu._on_wake,
    m.EFF_SIGNAL: Cpu._on_signal,
    m.EFF_RENICE: Cpu._on_renice,
    m.EFF_TRACED: Cpu._on_traced,
    m.EFF_RENAME: Cpu._on_rename,
    m.EFF_TUNE: Cpu._on_tune,
    m.EFF_RESCHED: Cpu._on_resched,
}
