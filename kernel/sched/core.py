"""The scheduler core: what a CPU calls, independent of any class.

A switch is ``put_prev_task(rq, rq.curr)`` then ``pick_next_task(rq)``; a task that sleeps is first
taken off with ``deactivate_task(rq, p, DEQUEUE_SLEEP)``. ``rq.clock_ns`` is the time of every
call and is moved by the owner. The result of every question "should somebody else run?" is
``rq.need_resched``.

Source: kernel/sched/core.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.cpu.task import CpuTask, set_nice
from kernel.sched.fair import fair_sched_class
from kernel.sched.idle import idle_sched_class
from kernel.sched.rt import fair_server_tick, pick_next_rt, rt_sched_class
from kernel.sched.sched_class import (
    DEQUEUE_MOVE,
    DEQUEUE_SLEEP,
    ENQUEUE_HEAD,
    ENQUEUE_INITIAL,
    ENQUEUE_MIGRATED,
    ENQUEUE_WAKEUP,
    WF_FORK,
    WF_TTWU,
    SchedClass,
)
from kernel.uapi.policy import (
    POLICY_NAMES,
    SCHED_BATCH,
    SCHED_FIFO,
    SCHED_IDLE,
    SCHED_NORMAL,
    SCHED_RR,
)

if TYPE_CHECKING:
    from kernel.sched.rq import Rq

__all__ = [
    "DEQUEUE_MOVE",
    "DEQUEUE_SLEEP",
    "ENQUEUE_INITIAL",
    "ENQUEUE_MIGRATED",
    "ENQUEUE_WAKEUP",
    "WF_FORK",
    "WF_TTWU",
    "FAIR_CLASSES",
    "activate_task",
    "attach",
    "check_preempt_curr",
    "deactivate_task",
    "detach_one",
    "fair_class_by_name",
    "is_cpu_allowed",
    "migrate_task_rq",
    "pick_next_task",
    "pushable_task",
    "put_prev_task",
    "resched_curr",
    "sched_setscheduler",
    "scheduler_tick",
    "set_user_nice",
    "task_fork",
    "update_rq_curr",
    "yield_task",
]

FAIR_CLASSES: Final[dict[str, SchedClass]] = {"cfs": fair_sched_class}
_PLANNED: Final = ("eevdf", "o1")
RT_POLICIES: Final = (SCHED_FIFO, SCHED_RR)
_FAIR_POLICIES: Final = (SCHED_NORMAL, SCHED_BATCH, SCHED_IDLE)


def fair_class_by_name(name: str) -> SchedClass:
    """Return the fair class that ``MachineSpec.fair`` names.

    Raises:
        ValueError: there is none of that name; the message says which there are.
    """
    found = FAIR_CLASSES.get(name)
    if found is not None:
        return found
    have = ", ".join(FAIR_CLASSES)
    if name in _PLANNED:
        raise ValueError(f"fair scheduler {name!r} is not implemented yet (there is: {have})")
    raise ValueError(
        f"unknown fair scheduler {name!r} (there is: {have}); "
        "classes of one's own are not supported yet"
    )


def _assign_class(rq: "Rq", p: CpuTask) -> SchedClass:
    if p.policy in RT_POLICIES:
        p.sched_class = rt_sched_class
        return rt_sched_class
    if p.policy not in _FAIR_POLICIES:
        policy = POLICY_NAMES.get(p.policy, str(p.policy))
        raise ValueError(f"{p!r}: policy {policy} has no scheduling class here yet")
    p.sched_class = rq.fair_class
    return rq.fair_class


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
    cls = p.sched_class
    if cls is None:
        cls = _assign_class(rq, p)
    if p.on_rq:
        raise AssertionError(f"{p!r} is already on a queue, cpu {rq.cpu} got it again")
    p.enqueued_at_ns = rq.clock_ns
    cls.enqueue_task(rq, p, flags)


def deactivate_task(rq: "Rq", p: CpuTask, flags: int) -> None:
    """Take ``p``, which may be ``rq.curr``, off ``rq``; if it is, a switch has to follow.

    ``flags``: DEQUEUE_SLEEP if it sleeps or dies, DEQUEUE_MOVE if it goes on elsewhere.

    Source: kernel/sched/core.c:deactivate_task().
    """
    if not p.on_rq:
        raise AssertionError(f"{p!r} is on no queue, cpu {rq.cpu} was to dequeue it")
    p.sched_class.dequeue_task(rq, p, flags)  # type: ignore[union-attr]


def resched_curr(rq: "Rq") -> None:
    """Ask for a switch at the next preemption point. Source: kernel/sched/core.c."""
    rq.need_resched = True


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
    if p.sched_class is ours:
        ours.wakeup_preempt(rq, p, flags)  # type: ignore[union-attr]
    elif p.sched_class.rank < ours.rank and (  # type: ignore[union-attr]
        rq.rt is None or rq.clock_ns >= rq.rt.served_ns or ours is idle_sched_class
    ):
        rq.need_resched = True


def pick_next_task(rq: "Rq") -> CpuTask:
    """Choose the task that runs next, make it ``rq.curr`` and clear ``rq.need_resched``.

    ``put_prev_task`` comes first. Counts ``rq.nr_switches`` if it is not the same task again.

    Source: kernel/sched/core.c:__pick_next_task(), __schedule().
    """
    p = None if rq.rt is None else pick_next_rt(rq)
    if p is None:
        p = rq.fair_class.pick_next_task(rq)
        if p is None:
            p = rq.idle
    rq.need_resched = False
    if p is not rq.curr:
        rq.nr_switches += 1
        rq.curr = p
    return p


def put_prev_task(rq: "Rq", p: CpuTask) -> None:
    """Take ``p`` off the CPU; if it is still runnable it waits in its queue from now on.

    Source: kernel/sched/sched.h:put_prev_task().
    """
    now_ns = rq.clock_ns
    if p.on_rq:
        p.enqueued_at_ns = now_ns
    p.sched_class.put_prev_task(rq, p)  # type: ignore[union-attr]


def update_rq_curr(rq: "Rq") -> None:
    """Account for what ``rq.curr`` ran up to ``rq.clock_ns`` (``sum_exec_ns``, vruntime)."""
    rq.curr.sched_class.update_curr(rq)  # type: ignore[union-attr]


def scheduler_tick(rq: "Rq") -> None:
    """The timer tick. Source: kernel/sched/core.c:scheduler_tick()."""
    rq.curr.sched_class.task_tick(rq, rq.curr)  # type: ignore[union-attr]
    if rq.rt is not None:
        fair_server_tick(rq)


def task_fork(
    rq: "Rq", parent: CpuTask, child: CpuTask, vfork: bool = False, *, here: bool = True
) -> None:
    """Prepare the scheduling side of ``child``, forked by ``parent`` on ``rq``.

    The child inherits policy, nice and affinity. It is on no queue afterwards, and may be
    activated (ENQUEUE_INITIAL) here or on another CPU.

    Args:
        rq: the parent's queue.
        parent: current or queued on ``rq``.
        child: a fresh CpuTask.
        vfork: the parent is about to wait for the child.
        here: the child will run on this CPU. Only then can the policy ``child_runs_first`` mean
            anything: ``on``, every child goes before its parent; ``vfork_only``, those of vfork().

    Source: kernel/sched/core.c:sched_fork(); for ``here`` kernel/sched_fair.c:task_new_fair() of
        2.6.31 (2.6.34 swapped, in vain, for a child elsewhere as well).
    Deviation: ``vfork_only`` is not Linux's.
    """
    cls = parent.sched_class or _assign_class(rq, parent)
    child.policy = parent.policy
    nice = parent.nice
    if parent.reset_on_fork:
        nice = child.nice  # the kernel has reset it
        if parent.policy in RT_POLICIES:
            child.policy = SCHED_NORMAL
            cls = rq.fair_class
    elif parent.rt_priority:
        child.rt_priority = parent.rt_priority
        child.prio = parent.prio
    child.sched_class = cls
    child.cpus_allowed = parent.cpus_allowed
    if child.nice != nice or child.weight != parent.weight:
        set_nice(child, nice)
    if child.forked_at_ns < 0:
        child.forked_at_ns = rq.clock_ns
    policy = rq.child_runs_first
    first = here and (policy == "on" or (policy == "vfork_only" and vfork))
    if child.policy != parent.policy:
        first = False  # the parent is not in the child's class
    cls.task_fork(rq, parent, child, first)


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
    (p.sched_class or _assign_class(rq, p)).migrate_task_rq(rq, p)


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
    p = None if rq.rt is None else rt_sched_class.detach_one(rq, dst)
    return rq.fair_class.detach_one(rq, dst) if p is None else p


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
    if not p.on_rq or not p.rt_priority or rq.rt is None:
        return None
    for task in (p, *rq.rt.active[p.rt_priority]):
        if task is not rq.curr and is_cpu_allowed(task, dst):
            return task
    return None


def set_user_nice(rq: "Rq", p: CpuTask, nice: int) -> None:
    """Change the nice value of ``p``, which is on ``rq`` or sleeps there.

    Source: kernel/sched/core.c:set_user_nice(), kernel/sched/fair.c:reweight_entity().
    """
    old_nice, old_weight = p.nice, p.weight
    if nice == old_nice:
        return
    if p.policy in RT_POLICIES:
        set_nice(p, nice)  # for the day it is a fair task again
        return
    if rq.curr is p:
        update_rq_curr(rq)  # at the old weight
    set_nice(p, nice)
    if p.on_rq:
        rq.cfs.load_weight += p.weight - old_weight
        p.sched_class.prio_changed(rq, p, old_nice)  # type: ignore[union-attr]


def sched_setscheduler(
    rq: "Rq", p: CpuTask, policy: int, rt_priority: int, nice: int, reset_on_fork: bool
) -> None:
    """Give ``p``, which is on ``rq`` or sleeps there, another policy and priority.

    Source: kernel/sched/syscalls.c:__sched_setscheduler(), kernel/sched/core.c:
        check_class_changed().
    """
    old = p.sched_class or _assign_class(rq, p)
    new: SchedClass = rt_sched_class if policy in RT_POLICIES else rq.fair_class
    old_nice, old_weight = p.nice, p.weight
    running = rq.curr is p
    if running:
        update_rq_curr(rq)  # at the old weight
    p.reset_on_fork = reset_on_fork
    if old is new and new is rq.fair_class:
        p.policy = policy
        set_nice(p, nice)
        if p.on_rq:
            rq.cfs.load_weight += p.weight - old_weight
            new.prio_changed(rq, p, old_nice)
        return
    queued = p.on_rq
    if queued:
        old.dequeue_task(rq, p, DEQUEUE_MOVE)
    elif old is not new:
        if new is rt_sched_class:
            old.migrate_task_rq(rq, p)
        else:
            p.vruntime += rq.cfs.min_vruntime
    lower = old is new and rt_priority < p.rt_priority
    p.policy = policy
    p.rt_priority = rt_priority
    set_nice(p, nice)
    p.sched_class = new
    if queued:
        # a real-time task that goes down goes before its new equals
        new.enqueue_task(rq, p, ENQUEUE_HEAD if lower else 0)
        if running:
            new.set_next_task(rq, p)
    if old is new:
        new.prio_changed(rq, p, old_nice)
    else:
        new.switched_to(rq, p)
        if running and new is rq.fair_class:
            rq.need_resched = True


assert idle_sched_class.rank == max(cls.rank for cls in (*FAIR_CLASSES.values(), idle_sched_class))
