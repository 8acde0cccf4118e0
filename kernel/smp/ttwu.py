"""Sleeping and waking: the kernel's half of the scheduler.

Only KernelState decides that a task sleeps or becomes runnable, and where; the CPU's half
(``kernel.sched.core``) decides which of a CPU's runnable tasks runs. Both halves agree because
every change of a CPU's set of runnable tasks starts here and is counted in the load table.

A sleeper publishes its state and then tests its condition; a waker sets the condition and then
looks at the state. Each has a full barrier in between, or the wake-up is lost. ``on_rq`` says
whether the task still counts as runnable: a waker that finds it true, while the sleeper is on its
way into schedule(), only takes the state back.

On which CPU a task wakes or starts says its class (``kernel.smp.smp_class``).

Source: kernel/sched/core.c (try_to_wake_up, wake_up_new_task), Documentation/memory-barriers.txt.
"""

from typing import TYPE_CHECKING

from kernel.errors import IllegalTransition
from kernel.events import SCHED_WAKING
from kernel.messages import eff_fork, eff_kthread, eff_spawn, eff_wake
from kernel.points import (
    ACQUIRE,
    ACQUIRE_INNER,
    BARRIER,
    LOAD,
    POINT,
    RELEASE,
    RELEASE_INNER,
    STORE,
    Path,
)
from kernel.process.attrs import attrs_of
from kernel.process.fork_race import fork_begins
from kernel.sched.sched_class import FORK_VFORK, FORK_VM
from kernel.smp import averages
from kernel.smp.classes import task_new
from kernel.smp.load import load_inc
from kernel.smp.smp_class import SELECT_EXEC, SELECT_FORK, SELECT_WAKE
from kernel.smp.throttled import counts
from kernel.smp.tick import tick_dep_set_task
from kernel.smp.weigh import note_load, set_on_rq, set_task_cpu
from kernel.task import (
    PF_EXITING,
    STATE_MOVES,
    TASK_NEW,
    TASK_NORMAL,
    TASK_RUNNING,
    TaskStruct,
)
from kernel.uapi.prio import MAX_RT_PRIO

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.user import Program, UserContext


def set_task_state(k: "Kernel", task: TaskStruct, state: int) -> Path[None]:
    """Publish ``state`` of ``task``, then order it before what follows (a full barrier).

    Raises:
        IllegalTransition: the table in ``kernel.task`` does not allow the move.

    Source: include/linux/sched.h:set_task_state() (2.6); today only set_current_state() is left.
    """
    if state not in STATE_MOVES[task.state]:  # who wakes it only makes that RUNNING meanwhile
        raise IllegalTransition(f"{task!r}: state {task.state:#x} -> {state:#x}")
    yield "set_task_state.store", STORE, (task, "state", state)
    yield "set_task_state.smp_mb", BARRIER, None


def set_current_state(k: "Kernel", state: int) -> Path[None]:
    """``set_task_state`` for the current task.

    Source: include/linux/sched.h:set_current_state(), smp_store_mb().
    """
    return set_task_state(k, k.current, state)


def set_special_state(k: "Kernel", state: int) -> Path[None]:
    """Publish a special state of the current task, which is more than a condition it waits for.

    Under pi_lock, so that the ``TASK_RUNNING`` of a waker that found it in another state before is
    stored before, and not over it.

    Raises:
        IllegalTransition: the table in ``kernel.task`` does not allow the move.

    Source: include/linux/sched.h:set_special_state().
    """
    task = k.current
    lock = k.pi_lock(task)
    yield "set_special_state.pi_lock", ACQUIRE_INNER, lock
    if state not in STATE_MOVES[task.state]:
        raise IllegalTransition(f"{task!r}: state {task.state:#x} -> {state:#x}")
    yield "set_special_state.store", STORE, (task, "state", state)
    yield "set_special_state.pi_unlock", RELEASE_INNER, lock


def try_to_wake_up(
    k: "Kernel", task: TaskStruct, state_mask: int, sync: bool = False
) -> Path[bool]:
    """Make ``task`` runnable if its state is in ``state_mask``.

    ``sync``: the current task is about to sleep (WF_SYNC); one that exits is not believed.

    Returns:
        True iff this call woke it: a sleeping task is woken once however many try.

    The sleeper sets its state without pi_lock, so it may have moved on between the two loads. To
    wake who is awake is harmless; a special state must not be taken back: ``set_special_state``.

    Who wakes itself is on its CPU and stays there, so it takes no lock.

    Source: kernel/sched/core.c:try_to_wake_up(), ttwu_runnable().
    """
    if task is k.current and task.on_rq and not _in_interrupt(k):
        k.now_ns += k.costs.try_to_wake_up
        if not task.state & state_mask:
            k.stats.wakeups_failed += 1
            return False
        k.stats.wakeups += 1
        if k.trace_waking:
            trace_sched_waking(k, task)
        task.state = TASK_RUNNING
        return True
    lock = task.pi_lock or k.pi_lock(task)
    yield "try_to_wake_up.pi_lock", ACQUIRE, lock
    # the lock alone does not order what the caller has stored before what is loaded here
    yield "try_to_wake_up.smp_mb__after_spinlock", BARRIER, None
    k.now_ns += k.costs.try_to_wake_up
    state: int = yield "try_to_wake_up.state", LOAD, (task, "state")
    woken = bool(state & state_mask)
    if not woken:
        k.stats.wakeups_failed += 1
    else:
        k.stats.wakeups += 1
        if k.trace_waking:
            trace_sched_waking(k, task)
        on_rq: bool = yield "try_to_wake_up.on_rq", LOAD, (task, "on_rq")
        if on_rq and task.on_rq:  # ttwu_runnable() looks again, under the lock of its runqueue
            task.state = TASK_RUNNING  # in the same step: it cannot go to sleep meanwhile
        else:
            k.wake_sync = sync and not k.current.flags & PF_EXITING
            cpu = k.sched.of(task).select_task_rq(k, task, task.cpu, SELECT_WAKE)
            # it sleeps, and nobody else wakes it or changes what it may use: that takes pi_lock
            yield "try_to_wake_up.select_task_rq", POINT, task
            task.state = TASK_RUNNING
            activate(k, task, cpu)
    yield "try_to_wake_up.pi_unlock", RELEASE, lock
    return woken


def _in_interrupt(k: "Kernel") -> bool:
    """Tell whether an interrupt runs, which came while ``current`` did; at granularity ``step``.

    At granularity ``syscall`` nobody is between two points when one comes.

    Source: include/linux/preempt.h:in_hardirq().
    """
    path = k.stepping
    return path is not None and path.interrupt


def trace_sched_waking(k: "Kernel", task: TaskStruct) -> None:
    """Record that the current CPU wakes ``task``. Source: include/trace/events/sched.h."""
    prio = k.sched.of(task).task_prio(task, attrs_of(task)) + MAX_RT_PRIO
    k.emit(SCHED_WAKING, (task.comm, task.pid, prio, task.cpu))


def wake_up_process(k: "Kernel", task: TaskStruct, sync: bool = False) -> Path[bool]:
    """Wake ``task`` if it sleeps interruptibly or uninterruptibly; return whether it did.

    ``sync`` as for ``try_to_wake_up``.

    Source: kernel/sched/core.c:wake_up_process().
    """
    return try_to_wake_up(k, task, TASK_NORMAL, sync)


def activate(k: "Kernel", task: TaskStruct, cpu: int) -> None:
    """Count a sleeping ``task`` as runnable on ``cpu`` and tell the CPU that parks it."""
    holder = task.cpu
    if k.averages is not None:
        if cpu != holder:
            averages.moved(k, task, holder, cpu)
        else:
            averages.settle_task(k, task)
    set_on_rq(k, task, True)
    if cpu != holder:
        set_task_cpu(k, task, cpu)
        k.stats.migrations += 1
    if counts(k, task, cpu):
        load_inc(k, cpu)
    k.send(holder, eff_wake(k.stamp(task), task.pid, cpu, cpu != k.cpu))
    if task.attrs is not None:
        k.sched.of(task).task_woken(k, task)


def wake_up_new_task(
    k: "Kernel",
    child: TaskStruct,
    *,
    ctx: "UserContext | None" = None,
    program: "Program | None" = None,
    vfork: bool = False,
    kthread: bool = False,
) -> Path[None]:
    """Put a new task on a CPU for the first time.

    Args:
        child: fully built by copy_process, state TASK_NEW.
        ctx: its user context, if the kernel already made it and no memory is shared.
        program: ``(image, argv, env, start)`` for a task that starts with a fresh program instead
            of a copy of its parent's context.
        vfork: the parent is about to wait for the child (policy ``vfork_only`` asks).
        kthread: it never leaves the kernel; its path is ``child.path``.

    Source: kernel/sched/core.c:wake_up_new_task().
    """
    lock = child.pi_lock or k.pi_lock(child)
    yield "wake_up_new_task.pi_lock", ACQUIRE, lock
    k.now_ns += k.costs.wake_up_new_task
    if child.state != TASK_NEW:
        raise IllegalTransition(f"{child!r}: woken as new in state {child.state:#x}")
    child.state = TASK_RUNNING
    k.stats.wakeups_new += 1
    cpu = k.sched.of(child).select_task_rq(k, child, k.cpu, SELECT_FORK)
    set_task_cpu(k, child, cpu)
    averages.attach_new(k, child, cpu)
    set_on_rq(k, child, True)
    if counts(k, child, cpu):
        load_inc(k, cpu)
    if program is not None:
        image, argv, env, start = program
        effect = eff_spawn(
            k.stamp(child),
            child.pid,
            child.tgid,
            child.comm,
            child.nice,
            image,
            argv,
            env,
            start,
            cpu != k.cpu,
        )
        k.send(cpu, effect)
    elif kthread:
        at_ns, remote = k.stamp(child), cpu != k.cpu
        k.send(cpu, eff_kthread(at_ns, child.pid, child.tgid, child.comm, child.nice, remote))
    else:
        _send_fork(k, child, cpu, ctx, vfork)
    if child.signal.cputimers is not None:
        tick_dep_set_task(k, child)
    if child.nice or child.attrs is not None:
        note_load(k, child)
    if child.attrs is not None:
        task_new(k, child)
    if child.sigpending:
        k.kick(child)  # a stop of its group, or a tracer, waits for it
    yield "wake_up_new_task.pi_unlock", RELEASE, lock


def _send_fork(
    k: "Kernel", child: TaskStruct, cpu: int, ctx: "UserContext | None", vfork: bool
) -> None:
    """Let the parent's CPU, this one, make its half of ``child`` and send it to ``cpu``.

    It has the context to copy and the virtual run time to inherit.
    """
    resident = child.ctx is not None  # because it shares its parent's memory
    # a CPU does not answer getpid() where numbers depend on who asks
    tgid = child.tgid if child.thread_pid.numbers is None else 0
    child.msg_ns = k.now_ns
    parent = k.current
    flags = (FORK_VFORK if vfork else 0) | (FORK_VM if resident else 0)
    fork_begins(k, child.pid, cpu, flags)
    effect = eff_fork(
        k.stamp(parent),
        parent.pid,
        child.pid,
        tgid,
        child.comm,
        child.nice,
        cpu,
        resident,
        ctx,
        flags,
    )
    k.send(k.cpu, effect)


def select_task_rq_exec(k: "Kernel") -> int:
    """Return the CPU on which an exec of the current task goes on.

    Source: kernel/sched/core.c:sched_exec(), SD_BALANCE_EXEC.
    """
    current = k.current
    return k.sched.of(current).select_task_rq(k, current, k.cpu, SELECT_EXEC)
