"""The scheduler core: what a CPU calls, independent of any class.

A switch is ``put_prev_task(rq, rq.curr)`` then ``pick_next_task(rq)``; a task that sleeps is first
taken off with ``deactivate_task(rq, p, DEQUEUE_SLEEP)``. ``rq.clock_ns`` is the time of every
call and is moved by the owner. The result of every question "should somebody else run?" is
``rq.need_resched``.

Source: kernel/sched/core.c.
"""

from typing import TYPE_CHECKING

from kernel.cpu.task import CpuTask, set_nice
from kernel.sched import hrtick, pelt
from kernel.sched.sched_class import (
    DEQUEUE_MOVE,
    DEQUEUE_SLEEP,
    DEQUEUE_SPECIAL,
    DEQUEUE_UNINTERRUPTIBLE,
    ENQUEUE_HEAD,
    ENQUEUE_INITIAL,
    ENQUEUE_MIGRATED,
    ENQUEUE_WAKEUP,
    FORK_HERE,
    WF_FORK,
    WF_TTWU,
    SchedClass,
)
from kernel.uapi.policy import POLICY_NAMES, SCHED_NORMAL
from kernel.uapi.task_state import TASK_SPECIAL, TASK_UNINTERRUPTIBLE

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

__all__ = [
    "DEQUEUE_MOVE",
    "DEQUEUE_SLEEP",
    "DEQUEUE_SPECIAL",
    "DEQUEUE_UNINTERRUPTIBLE",
    "ENQUEUE_INITIAL",
    "ENQUEUE_MIGRATED",
    "ENQUEUE_WAKEUP",
    "WF_FORK",
    "WF_TTWU",
    "activate_task",
    "attach",
    "check_preempt_curr",
    "class_for",
    "class_of",
    "deactivate_task",
    "dequeue_flags",
    "detach_one",
    "hrtimer_run",
    "is_cpu_allowed",
    "migrate_task_rq",
    "pick_next_task",
    "pushable_task",
    "put_prev_task",
    "sched_setscheduler",
    "scheduler_tick",
    "set_class",
    "set_user_nice",
    "task_dead",
    "task_fork",
    "task_woken",
    "update_rq_curr",
    "yield_task",
    "waits",
]


def class_for(rq: "Rq", p: CpuTask, policy: int) -> SchedClass:
    """Return the class that schedules ``policy`` on this machine.

    Raises:
        ValueError: none does.
    """
    cls = rq.class_of.get(policy)
    if cls is None:
        name = POLICY_NAMES.get(policy, str(policy))
        raise ValueError(f"{p!r}: policy {name} has no scheduling class here yet")
    return cls


def set_class(p: CpuTask, cls: SchedClass) -> None:
    """Make ``p`` a task of ``cls``, with the entity it had there, or a new one."""
    old = p.sched_class
    if old is not None:
        p.kept = {} if p.kept is None else p.kept
        p.kept[old.rank] = p.se
    p.sched_class = cls
    kept = None if p.kept is None else p.kept.pop(cls.rank, None)
    if kept is None:
        p.se = cls.make_entity()
    elif isinstance(kept, (list, tuple)):  # it came from another process
        p.se = cls.make_entity()
        p.se.unpack(kept)
    else:
        p.se = kept
    cls.set_load_weight(p)


def class_of(rq: "Rq", p: CpuTask) -> SchedClass:
    """Return the class of ``p``; a task that no queue has had yet gets its class here."""
    cls = p.sched_class
    if cls is None:
        cls = class_for(rq, p, p.policy)
        set_class(p, cls)
    return cls


def enqueue_task(rq: "Rq", p: CpuTask, flags: int) -> None:
    """Queue ``p`` in its class. Source: kernel/sched/core.c:enqueue_task(), add_nr_running()."""
    if rq.pelt is not None:
        pelt.enqueued(rq, rq.pelt, p)
    p.sched_class.enqueue_task(rq, p, flags)  # type: ignore[union-attr]
    p.on_rq = True
    rq.nr_running += not p.parked
    if rq.hrtick is not None:
        hrtick.update(rq, rq.hrtick)


def dequeue_task(rq: "Rq", p: CpuTask, flags: int) -> None:
    """Take ``p`` off its queue. Source: kernel/sched/core.c:dequeue_task(), sub_nr_running()."""
    if rq.pelt is not None:
        pelt.dequeued(rq, rq.pelt, p, flags)
    p.sched_class.dequeue_task(rq, p, flags)  # type: ignore[union-attr]
    p.on_rq = False
    rq.nr_running -= not p.parked
    p.parked = False
    if rq.hrtick is not None:
        hrtick.update(rq, rq.hrtick)


def activate_task(rq: "Rq", p: CpuTask, flags: int) -> None:
    """Make ``p`` runnable on ``rq``; does not ask whether it should preempt.

    Args:
        rq: the queue it joins.
        p: a task on no queue.
        flags: ENQUEUE_WAKEUP it slept; ENQUEUE_INITIAL it is new (``task_fork`` has placed it);
            ENQUEUE_MIGRATED it comes from another CPU. A task pulled while runnable has
            ENQUEUE_MIGRATED alone, one woken on another CPU than it slept on has both.

    Source: kernel/sched/core.c:activate_task().
    """
    if p.sched_class is None:
        class_of(rq, p)
    if p.on_rq:
        raise AssertionError(f"{p!r} is already on a queue, cpu {rq.cpu} got it again")
    p.enqueued_at_ns = rq.clock_ns
    enqueue_task(rq, p, flags)


def deactivate_task(rq: "Rq", p: CpuTask, flags: int) -> None:
    """Take ``p``, which may be ``rq.curr``, off ``rq``; if it is, a switch has to follow.

    ``flags``: DEQUEUE_SLEEP if it sleeps or dies, with DEQUEUE_SPECIAL if it stops, is traced,
    parks or dies; DEQUEUE_MOVE if it goes on elsewhere.

    Source: kernel/sched/core.c:deactivate_task().
    """
    if not p.on_rq:
        raise AssertionError(f"{p!r} is on no queue, cpu {rq.cpu} was to dequeue it")
    dequeue_task(rq, p, flags)


def dequeue_flags(state: int) -> int:
    """Return the flags of ``deactivate_task`` for a task that goes to sleep in ``state``.

    Source: kernel/sched/core.c:__schedule(), try_to_block_task().
    """
    if state & TASK_SPECIAL:
        return DEQUEUE_SLEEP | DEQUEUE_SPECIAL
    if state & TASK_UNINTERRUPTIBLE:
        return DEQUEUE_SLEEP | DEQUEUE_UNINTERRUPTIBLE
    return DEQUEUE_SLEEP


def check_preempt_curr(rq: "Rq", p: CpuTask, flags: int) -> None:
    """``p`` was made runnable: set ``rq.need_resched`` if it should run instead of current.

    A higher class always preempts; within one class the class decides.

    Args:
        rq: the queue ``p`` is on.
        p: the newcomer.
        flags: WF_FORK for a new task, WF_TTWU for a woken one, 0 otherwise.

    Source: kernel/sched/core.c:check_preempt_curr() (wakeup_preempt() since 6.7).
    """
    ours = rq.curr.sched_class
    cls = p.sched_class
    if ours is None or cls is None:
        raise AssertionError(f"cpu {rq.cpu}: {p!r} or {rq.curr!r} has no class")
    if cls is ours:
        ours.wakeup_preempt(rq, p, flags)
    elif cls.rank > ours.rank:
        ours.left_behind(rq)
    elif cls.may_preempt(rq):
        rq.need_resched = True


def pick_next_task(rq: "Rq") -> CpuTask:
    """Choose the task that runs next, make it ``rq.curr`` and clear ``rq.need_resched``.

    ``put_prev_task`` comes first. Counts ``rq.nr_switches`` if it is not the same task again.

    Source: kernel/sched/core.c:__pick_next_task(), __schedule().
    """
    for cls in rq.classes:
        p = cls.pick_next_task(rq)
        if p is not None:
            break
    else:
        p = rq.idle
    if not p.on_rq and p is not rq.idle:
        raise AssertionError(
            f"cpu {rq.cpu}: the class {cls.name} picks {p!r}, which is on no queue"
        )
    rq.need_resched = False
    if rq.pelt is not None:
        pelt.picked(rq, rq.pelt, p)
    if p is not rq.curr:
        rq.nr_switches += 1
        rq.curr = p
    return p


def put_prev_task(rq: "Rq", p: CpuTask) -> None:
    """Take ``p`` off the CPU; if it is still runnable it waits in its queue from now on.

    Source: kernel/sched/sched.h:put_prev_task().
    """
    now_ns = rq.clock_ns
    if rq.hrtick is not None:
        hrtick.clear(rq, rq.hrtick)
    if rq.pelt is not None:
        pelt.put(rq, rq.pelt, p)
    if p.on_rq:
        p.enqueued_at_ns = now_ns
    p.sched_class.put_prev_task(rq, p)  # type: ignore[union-attr]


def update_rq_curr(rq: "Rq") -> None:
    """Account for what ``rq.curr`` ran up to ``rq.clock_ns`` (``sum_exec_ns``, vruntime)."""
    rq.curr.sched_class.update_curr(rq)  # type: ignore[union-attr]


def scheduler_tick(rq: "Rq") -> None:
    """The timer tick. Source: kernel/sched/core.c:scheduler_tick()."""
    if rq.pelt is not None:
        pelt.ticked(rq, rq.pelt)
    rq.curr.sched_class.task_tick(rq, rq.curr)  # type: ignore[union-attr]
    for cls in rq.tickers:
        cls.rq_tick(rq)


def hrtimer_run(rq: "Rq") -> None:
    """The timer of ``rq.timers`` that comes first is due: let its class see to it.

    Source: kernel/time/hrtimer.c:__run_hrtimer().
    """
    at_ns, rank, key, data = rq.timers.take()
    rq.by_rank[rank].timer(rq, at_ns, key, data)


def task_fork(
    rq: "Rq", parent: CpuTask, child: CpuTask, flags: int = 0, *, here: bool = True
) -> None:
    """Prepare the scheduling side of ``child``, forked by ``parent`` on ``rq``.

    The child inherits policy, nice and affinity. It is on no queue afterwards, and may be
    activated (ENQUEUE_INITIAL) here or on another CPU.

    Args:
        rq: the parent's queue.
        parent: current or queued on ``rq``.
        child: a fresh CpuTask.
        flags: FORK_VFORK, FORK_VM.
        here: the child will run on this CPU.

    Source: kernel/sched/core.c:sched_fork().
    """
    cls = class_of(rq, parent)
    child.policy = parent.policy
    nice = parent.nice
    if parent.reset_on_fork:
        nice = child.nice  # the kernel has reset it
        if not cls.weighted:
            child.policy = SCHED_NORMAL
            cls = class_for(rq, child, SCHED_NORMAL)
    else:
        child.rt_priority = parent.rt_priority
        child.prio = parent.prio
    child.sched_class = cls
    child.se = cls.make_entity()
    child.cpus_allowed = parent.cpus_allowed
    child.group = parent.group
    if child.nice != nice:
        set_nice(child, nice)
    cls.set_load_weight(child)
    if child.forked_at_ns < 0:
        child.forked_at_ns = rq.clock_ns
    cls.task_fork(rq, parent, child, flags | FORK_HERE if here else flags)


def task_woken(rq: "Rq", p: CpuTask) -> None:
    """``p`` was woken or is new, after ``check_preempt_curr``. Source: ttwu_do_activate()."""
    p.sched_class.task_woken(rq, p)  # type: ignore[union-attr]


def task_dead(rq: "Rq", p: CpuTask) -> None:
    """``p`` has run for the last time, and ``rq.curr`` is another task.

    Source: kernel/sched/core.c:finish_task_switch().
    """
    if rq.pelt is not None:
        pelt.gone(rq, rq.pelt, p)
    p.sched_class.task_dead(rq, p)  # type: ignore[union-attr]


def yield_task(rq: "Rq") -> None:
    """``rq.curr`` called sched_yield(): let others go first, and ask for a switch.

    Source: kernel/sched/core.c:do_sched_yield().
    """
    rq.curr.sched_class.yield_task(rq)  # type: ignore[union-attr]
    rq.need_resched = True


def migrate_task_rq(rq: "Rq", p: CpuTask) -> None:
    """``p``, asleep and last run on ``rq``, will be woken on another CPU.

    To be called before it is packed; the other CPU activates it with
    ENQUEUE_WAKEUP | ENQUEUE_MIGRATED. A new task that has not been activated yet needs no call.

    Source: kernel/sched/core.c:set_task_cpu().
    """
    if p.on_rq:
        raise AssertionError(f"{p!r} is runnable on cpu {rq.cpu}: detach it instead")
    if rq.pelt is not None:
        pelt.gone(rq, rq.pelt, p)
    class_of(rq, p).migrate_task_rq(rq, p)


def detach_one(rq: "Rq", now_ns: int, dst: int = -1) -> CpuTask | None:
    """Take one queued, not running task off ``rq`` that CPU ``dst`` may run, or return None.

    Args:
        rq: the busier queue.
        now_ns: time of the pull; the queue's clock moves up to it.
        dst: CPU it is for, -1 if any will do.

    Source: kernel/sched/fair.c:detach_one_task(); see the class for what is chosen.
    """
    if now_ns > rq.clock_ns:
        rq.clock_ns = now_ns
    for cls in rq.classes:
        p = cls.detach_one(rq, dst)
        if p is not None:
            if p is rq.curr or not p.on_rq:
                raise AssertionError(
                    f"cpu {rq.cpu}: class {cls.name} gives away {p!r}, which does not wait here"
                )
            dequeue_task(rq, p, DEQUEUE_MOVE)
            return p
    return None


def attach(rq: "Rq", p: CpuTask) -> None:
    """Put a task that ``detach_one`` took elsewhere on ``rq``, and see whether it preempts.

    Waiting goes on: ``enqueued_at_ns`` stays what it was.

    Source: kernel/sched/fair.c:attach_task().
    """
    since_ns = p.enqueued_at_ns
    activate_task(rq, p, ENQUEUE_MIGRATED)
    p.enqueued_at_ns = since_ns
    check_preempt_curr(rq, p, 0)


def is_cpu_allowed(p: CpuTask, cpu: int) -> bool:
    """Tell whether ``p`` may run on ``cpu``. Source: kernel/sched/core.c:is_cpu_allowed()."""
    return p.cpus_allowed is None or cpu in p.cpus_allowed


def pushable_task(rq: "Rq", p: CpuTask, dst: int) -> CpuTask | None:
    """Return ``p``, or an equal of it if it runs, that waits on ``rq`` and may go to CPU ``dst``.

    Source: kernel/sched/rt.c:pick_next_pushable_task().
    """
    if not p.on_rq:
        return None
    return p.sched_class.pushable_task(rq, p, dst)  # type: ignore[union-attr]


def waits(rq: "Rq", p: CpuTask) -> bool:
    """Tell whether another task than ``p`` is the most urgent one of ``rq``."""
    for cls in rq.classes:
        queued = cls.queued(rq)
        if queued:
            return queued[0] is not p
    return False


def set_user_nice(rq: "Rq", p: CpuTask, nice: int) -> None:
    """Change the nice value of ``p``, which is on ``rq`` or sleeps there.

    Source: kernel/sched/core.c:set_user_nice(), kernel/sched/fair.c:reweight_entity().
    """
    old_nice = p.nice
    if nice == old_nice:
        return
    cls = class_of(rq, p)
    if not cls.weighted:
        set_nice(p, nice)  # for the day it is a fair task again
        return
    if cls.is_queued(p):
        update_rq_curr(rq)  # at the old weight
    set_nice(p, nice)
    if cls.is_queued(p):
        cls.reweight_task(rq, p)
        if p.on_rq:
            cls.prio_changed(rq, p, old_nice)
    else:
        cls.set_load_weight(p)
    if rq.pelt is not None:
        pelt.reweighted(rq, rq.pelt, p)


def sched_setscheduler(
    rq: "Rq",
    p: CpuTask,
    policy: int,
    priority: int,
    nice: int,
    reset_on_fork: bool,
    own: tuple[int, ...] = (),
) -> None:
    """Give ``p``, which is on ``rq`` or sleeps there, another policy or other parameters.

    ``own``: what the class of the policy has beside priority and nice value.

    Between fair policies it stays where it is in its queue; Linux takes it off and puts it back
    with the same vruntime (ENQUEUE_RESTORE).

    Source: kernel/sched/syscalls.c:__sched_setscheduler(), kernel/sched/core.c:
        check_class_changed().
    """
    old = class_of(rq, p)
    new = class_for(rq, p, policy)
    old_nice, old_prio = p.nice, p.prio
    running = rq.curr is p
    if old.is_queued(p):
        update_rq_curr(rq)  # at the old weight
    p.reset_on_fork = reset_on_fork
    if old is new and new.weighted:
        p.policy = policy
        set_nice(p, nice)
        if new.is_queued(p):
            new.reweight_task(rq, p)
        else:
            new.set_load_weight(p)
        new.setparam(rq, p, priority, own)  # what it was is what it is taken off with
        if p.on_rq and nice != old_nice:
            new.prio_changed(rq, p, old_nice)
        if rq.pelt is not None:
            pelt.reweighted(rq, rq.pelt, p)
        return
    if old is not new:
        if rq.pelt is not None and not p.on_rq:
            pelt.gone(rq, rq.pelt, p)
        old.switched_from(rq, p)
    elif not new.param_changed(rq, p, priority, own):
        p.policy = policy
        return
    queued = p.on_rq
    if queued:
        dequeue_task(rq, p, DEQUEUE_MOVE)
    if running:
        # the class it leaves must not go on believing that it runs: timers, its current
        old.put_prev_task(rq, p)
    p.policy = policy
    set_nice(p, nice)
    if old is not new:
        set_class(p, new)
    new.setparam(rq, p, priority, own)
    if queued:
        # one whose priority falls goes before its new equals
        enqueue_task(rq, p, ENQUEUE_HEAD if old is new and p.prio > old_prio else 0)
    if running:
        new.set_next_task(rq, p)
    if old is new:
        new.prio_changed(rq, p, old_nice)
    else:
        new.switched_to(rq, p)
