"""What a CPU does with each effect, the messages of ``kernel.messages.EFFECTS``.

Every effect has a function, here or in ``kernel.cpu.migrate``, except those that only move a task
(USER, RESCHED). ``apply`` moves the task as ``kernel.cpu.position`` says, then calls the function;
an effect that nobody waits for, or that there is not, is refused there. It compares codes, the
frequent ones first: in the compiled core that is cheaper than a table of functions.
"""

from typing import TYPE_CHECKING

from kernel import messages as m
from kernel.cpu.migrate import balance, give, moved_ack, push, send_away, send_mail
from kernel.cpu.position import ABOUT_A_TASK, ASK, IN_KERNEL, MOVE_TO, refusal
from kernel.cpu.task import CpuTask
from kernel.cpu.tick import interrupt
from kernel.errors import InvariantError, unknown
from kernel.events import SCHED_WAKEUP, SCHED_WAKEUP_NEW
from kernel.sched import core
from kernel.sched.regroup import sched_move_task
from kernel.uapi.task_state import TASK_DEAD, TASK_REPORT_MAX

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.user import UserContext


def apply(cpu: "Cpu", effect: m.Effect) -> None:
    """Apply one message that is due.

    Raises:
        InvariantError: there is no such message, or the task does not wait for it.
    """
    code: int = effect[1]
    if code >= ASK or not ABOUT_A_TASK[code]:
        _apply_other(cpu, code, effect)
        return
    pid: int = effect[2]
    task = cpu.tasks.get(pid)
    if task is None:
        if pid in cpu.moved:
            cpu.forwards.append((cpu.moved[pid][0], effect))
        else:
            cpu.early.setdefault(pid, []).append(effect)
        return
    to = MOVE_TO[task.at << 5 | code]
    if to < 0:
        raise InvariantError(refusal(cpu, task, code))
    task.at = to
    if code == m.EFF_RETURN:
        on_return(task, effect)
    elif code == m.EFF_WAKE:
        on_wake(cpu, task, effect)
    elif code == m.EFF_SLEEP:
        on_sleep(cpu, task, effect)
    elif code == m.EFF_FORK:
        on_fork(cpu, task, effect)
    elif code == m.EFF_DEAD:
        on_dead(cpu, task)
    elif code == m.EFF_EXEC:
        on_exec(cpu, task, effect)
    elif code == m.EFF_NEXT:
        on_next(cpu, task, effect)
    elif code == m.EFF_TAKE:
        on_take(task, effect)
    elif code == m.EFF_ERROR:
        on_error(task, effect)
    elif code == m.EFF_SIGNAL:
        on_signal(cpu, task, effect)
    elif code == m.EFF_HANDLE:
        on_handle(cpu, task, effect)
    elif code == m.EFF_TUNE:
        on_tune(cpu, task, effect)
    elif code == m.EFF_RENICE:
        on_renice(cpu, task, effect)
    elif code == m.EFF_TRACED:
        on_traced(task, effect)
    elif code == m.EFF_RENAME:
        on_rename(cpu, task, effect)
    # EFF_USER, EFF_RESCHED: the move is all there is to do


def _apply_other(cpu: "Cpu", code: int, effect: m.Effect) -> None:
    """Apply a message that brings a task, or is about the queue."""
    if code == m.ARRIVE:
        on_arrive(cpu, effect)
    elif code == m.EFF_MOVED_ACK:
        moved_ack(cpu, effect[2])
    elif code == m.EFF_SPAWN:
        on_spawn(cpu, effect)
    elif code == m.EFF_PULL:
        give(cpu, effect[3])
    elif code == m.EFF_BALANCE:
        balance(cpu, effect)
    elif code == m.EFF_KTHREAD:
        on_kthread(cpu, effect)
    elif code == m.EFF_TOLD:
        on_told(cpu, effect)
    elif code == m.EFF_SIBLING:
        cpu.late(effect[0])
        cpu.sibling(effect[3], effect[4])
    else:
        raise InvariantError(unknown(effect, f"cpu {cpu.id} at {cpu.now_ns} ns"))


# -- answers --------------------------------------------------------------------------------------


def on_return(task: CpuTask, effect: m.Effect) -> None:
    """The system call returned a value."""
    task.op = None
    task.value = effect[3]


def on_error(task: CpuTask, effect: m.Effect) -> None:
    """The system call failed."""
    task.op = None
    task.error = effect[3]


def on_next(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """The context, which lives with the kernel, ran on to its next op."""
    task.op = effect[3]
    # what the block before had left, if a signal came in it
    task.remaining_ns += effect[4] * cpu.block_ns


def on_take(task: CpuTask, effect: m.Effect) -> None:
    """The context comes back to the CPU."""
    task.resident = False
    task.op = None
    task.ctx = effect[3]
    task.value = effect[4]
    task.error = effect[5]


def on_handle(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """Handlers have run before, in or after a system call: tell the context."""
    signals: tuple[int, ...] = effect[3]
    how: int = effect[4]
    ctx = task.ctx
    if ctx is None:
        raise AssertionError(f"cpu {cpu.id}: {task!r} has no context")
    op = task.op
    if signals:
        ctx.trip(signals)
    if op is None:
        return  # before the next block, which still waits for its value
    task.op = None
    if how:
        ctx.interrupt(op, how, effect[5])
    else:
        task.value = effect[6]
        task.error = effect[7]


def on_exec(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """A new program replaces the context, here or on another CPU."""
    dest: int = effect[7]
    task.comm = effect[6]
    task.resident = False
    task.op = task.value = task.error = None
    task.remaining_ns = 0
    task.ctx = None  # made where it first runs: a program's name travels lighter than a context
    task.cache = None  # nothing of the new program is in one
    task.program = (effect[3], effect[4], effect[5], effect[8])
    if dest != cpu.id:
        rq = cpu.rq
        rq.clock_ns = cpu.now_ns
        core.deactivate_task(rq, task, core.DEQUEUE_MOVE)
        cpu.switch(task, TASK_REPORT_MAX)
        task.cache = None
        send_away(cpu, task, dest, m.BY_EXEC, effect[0])


def on_sleep(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """The task sleeps inside its system call."""
    task.sigpending = False
    cpu.leave(task, effect[3])


def on_dead(cpu: "Cpu", task: CpuTask) -> None:
    """The task never runs again."""
    del cpu.tasks[task.pid]
    task.ctx = None
    cpu.leave(task, TASK_DEAD)
    core.task_dead(cpu.rq, task)


# -- new tasks, and tasks that come or wake ------------------------------------------------------


def on_fork(cpu: "Cpu", parent: CpuTask, effect: m.Effect) -> None:
    """Make the CPU half of the parent's child, and put it where it is to run."""
    at_ns: int = effect[0]
    pid: int = effect[3]
    dest: int = effect[7]
    child = CpuTask(pid, effect[4], effect[5], effect[6], parent.policy)
    child.resident = effect[8]
    if not child.resident:
        ctx: UserContext | None = effect[9]
        if ctx is None:
            mine = parent.ctx
            if mine is None:
                raise AssertionError(f"cpu {cpu.id}: {parent!r} has no context to copy")
            ctx = mine.fork()
        child.ctx = ctx
    child.value = 0
    child.forked_at_ns = at_ns
    child.fork_of = parent.fork_of = pid
    cpu.rq.clock_ns = cpu.now_ns
    core.task_fork(cpu.rq, parent, child, effect[10], here=dest == cpu.id)
    if dest == cpu.id:
        cpu.tasks[pid] = child
        _start(cpu, child, at_ns, remote=False)
    else:
        send_away(cpu, child, dest, m.BY_FORK, at_ns)


def on_spawn(cpu: "Cpu", effect: m.Effect) -> None:
    """A new task with a fresh program starts here."""
    at_ns: int = effect[0]
    pid: int = effect[2]
    cpu.late(at_ns)
    child = CpuTask(pid, effect[3], effect[4], effect[5])
    child.program = (effect[6], effect[7], effect[8], effect[9])
    child.forked_at_ns = at_ns
    cpu.tasks[pid] = child
    _start(cpu, child, at_ns, remote=cpu.interrupts and effect[10])


def on_kthread(cpu: "Cpu", effect: m.Effect) -> None:
    """A new kernel thread starts here; it never leaves the kernel."""
    at_ns: int = effect[0]
    pid: int = effect[2]
    cpu.late(at_ns)
    child = CpuTask(pid, effect[3], effect[4], effect[5])
    child.at = IN_KERNEL
    child.forked_at_ns = at_ns
    cpu.tasks[pid] = child
    _start(cpu, child, at_ns, remote=cpu.interrupts and effect[6])


def _start(cpu: "Cpu", child: CpuTask, at_ns: int, *, remote: bool) -> None:
    """Queue a new task here for the first time; ``remote``: another CPU made it."""
    asked = cpu.rq.need_resched
    cpu.enqueue(child, core.ENQUEUE_INITIAL, at_ns)
    if cpu.tracing:
        _trace_wakeup(cpu, SCHED_WAKEUP_NEW, child)
    if remote:
        _resched_interrupt(cpu, asked)


def _resched_interrupt(cpu: "Cpu", asked: bool) -> None:
    """Another CPU has put a task on this one's queue: is it to reschedule, and was not ``asked``?

    Source: kernel/sched/core.c:resched_curr(), which sends the interrupt only then.
    Deviation: a CPU that idles takes it too (Linux's may poll the flag instead); a new priority
        or affinity of the running task comes without it.
    """
    if cpu.interrupts and cpu.rq.need_resched and not asked:
        interrupt(cpu)


def on_wake(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """The parked task is runnable, here or on another CPU."""
    at_ns: int = effect[0]
    dest: int = effect[3]
    cpu.late(at_ns)
    remote: bool = cpu.interrupts and effect[4]
    if dest == cpu.id:
        asked = cpu.rq.need_resched
        cpu.enqueue(task, core.ENQUEUE_WAKEUP, at_ns)
        if cpu.tracing:
            _trace_wakeup(cpu, SCHED_WAKEUP, task)
        if remote:
            _resched_interrupt(cpu, asked)
    else:
        cpu.rq.clock_ns = cpu.now_ns
        core.migrate_task_rq(cpu.rq, task)
        send_away(cpu, task, dest, m.BY_REMOTE_WAKE if remote else m.BY_WAKE, at_ns)


def _trace_wakeup(cpu: "Cpu", event: int, task: CpuTask) -> None:
    cpu.trace.append((cpu.now_ns, event, task.comm, task.pid, task.prio, cpu.id))


def on_arrive(cpu: "Cpu", effect: m.Effect) -> None:
    """A task comes from another CPU; what came for it before it did is applied now."""
    at_ns: int = effect[0]
    pid: int = effect[2]
    task: CpuTask = effect[3]
    reason: int = effect[4]
    cpu.late(at_ns)
    cpu.tasks[pid] = task
    if reason != m.BY_FORK:
        cpu.stats.migrations_in += 1
    rq = cpu.rq
    rq.clock_ns = cpu.now_ns
    asked = rq.need_resched
    if reason == m.BY_FORK:
        task.remaining_ns += cpu.costs.thread_away if task.resident else cpu.costs.cow_away
        _start(cpu, task, task.enqueued_at_ns, remote=True)
    elif reason in (m.BY_WAKE, m.BY_REMOTE_WAKE):
        cpu.enqueue(task, core.ENQUEUE_WAKEUP | core.ENQUEUE_MIGRATED, at_ns)
        if cpu.tracing:
            _trace_wakeup(cpu, SCHED_WAKEUP, task)
    else:
        cpu.stats.pulls += reason == m.BY_PULL
        core.attach(rq, task)
    # who pulls, or wakes a task on its own CPU, needs no interrupt
    if reason not in (m.BY_FORK, m.BY_PULL, m.BY_WAKE):
        _resched_interrupt(cpu, asked)
    early = cpu.early.pop(pid, None)
    if early is not None:
        for waiting in early:
            apply(cpu, waiting)


# -- changes from outside ------------------------------------------------------------------------


def on_signal(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """The task has a signal to look at: on its way to user mode, or at once if it is there."""
    cpu.late(effect[0])
    task.sigpending = True
    if cpu.interrupts and effect[3] and task is cpu.rq.curr:
        interrupt(cpu)


def on_renice(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """The task's nice value has changed."""
    cpu.rq.clock_ns = cpu.now_ns
    core.set_user_nice(cpu.rq, task, effect[3])


def on_traced(task: CpuTask, effect: m.Effect) -> None:
    """A tracer sees the task's calls, or does not any more."""
    task.slow_door = effect[3]


def on_rename(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """Exec by a thread that is no leader: it takes over the leader's number."""
    del cpu.tasks[task.pid]
    task.pid = effect[3]
    cpu.tasks[task.pid] = task


def on_told(cpu: "Cpu", effect: m.Effect) -> None:
    """A scheduling class is told something."""
    rank: int = effect[3]
    cpu.late(effect[0])
    rq = cpu.rq
    rq.clock_ns = cpu.now_ns
    rq.by_rank[rank].told(rq, effect[4], effect[5])
    if rq.mail:
        send_mail(cpu)


def on_tune(cpu: "Cpu", task: CpuTask, effect: m.Effect) -> None:
    """Something of the task that the scheduler or the tick looks at has changed."""
    what, value = effect[3], effect[4]
    rq = cpu.rq
    if what == m.TUNE_CPUTIMER:
        task.cputimer = value
    elif what == m.TUNE_COMM:
        task.comm = value
    elif what == m.TUNE_POLICY:
        policy, priority, nice, reset_on_fork, own = value
        rq.clock_ns = cpu.now_ns
        core.sched_setscheduler(rq, task, policy, priority, nice, reset_on_fork, own)
        if rq.mail:
            send_mail(cpu)
    elif what == m.TUNE_GROUP:
        rq.clock_ns = cpu.now_ns
        sched_move_task(rq, task, value)
        if rq.mail:
            send_mail(cpu)
    elif what == m.TUNE_PUSH:
        rq.clock_ns = cpu.now_ns
        pushed = core.pushable_task(rq, task, value)
        if pushed is not None and value != cpu.id:
            if core.waits(rq, pushed):  # else those before it have gone by now
                push(cpu, pushed, value)
        elif pushed is None and task is rq.curr and rq.need_resched and core.waits(rq, task):
            rq.push_cpu = value  # the one that takes its place has come just before
    elif what == m.TUNE_AFFINITY:
        allowed: tuple[int, ...] | None = value
        task.cpus_allowed = allowed
        if allowed is not None and task.on_rq and not core.is_cpu_allowed(task, cpu.id):
            if task is rq.curr:
                rq.need_resched = True
            else:
                rq.clock_ns = cpu.now_ns
                push(cpu, task, allowed[0])
    else:
        raise InvariantError(f"cpu {cpu.id}: {task!r}: nothing to tune has the number {what!r}")
