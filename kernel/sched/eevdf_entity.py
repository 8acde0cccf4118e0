"""What happens to one entity of an EEVDF queue, of a task or of a group, as it comes and goes.

An entity stands in a queue by the ``CpuTask`` it belongs to; a group's is a ``GroupTask``
(``kernel.sched.task_group``), which is one as far as its queue is concerned.

Source: kernel/sched/fair.c of Linux 6.12.
"""

from kernel.cpu.task import CpuTask
from kernel.sched.eevdf_rq import (
    EevdfEntity,
    EevdfRq,
    div_s64,
    entity_eligible,
    link_entity,
    pick_eevdf,
    place_entity,
    slice_of,
    unlink_entity,
    update_entity_lag,
)


def settle(cfs: EevdfRq) -> None:
    """Queue the entity that was put and not picked again. Source: fair.c:put_prev_entity()."""
    curr = cfs.curr
    cfs.curr = None
    cfs.put = False
    if curr is not None:
        se: EevdfEntity = curr.se
        if se.on_rq:
            link_entity(cfs, curr)


def enqueue_entity(cfs: EevdfRq, p: CpuTask, initial: bool) -> None:
    """Put ``p``, which is on no queue, on this one. Source: fair.c:enqueue_entity()."""
    se: EevdfEntity = p.se
    place_entity(cfs, se, initial)
    se.on_rq = True
    cfs.nr_queued += 1
    link_entity(cfs, p)


def dequeue_entity(cfs: EevdfRq, p: CpuTask, sleep: bool) -> None:
    """Take ``p`` off the queue with the lag it has. Source: fair.c:dequeue_entity()."""
    se: EevdfEntity = p.se
    update_entity_lag(cfs, se)
    if not sleep:
        se.deadline -= se.vruntime
        se.rel_deadline = True
    if p is cfs.curr:
        cfs.curr = None
        cfs.put = False
    else:
        unlink_entity(cfs, p)
    se.on_rq = False
    cfs.nr_queued -= 1


def finish_delayed(cfs: EevdfRq, p: CpuTask) -> None:
    """Dequeue a sleeper that was in debt; it does not gain by having been queued (DELAY_ZERO).

    Source: kernel/sched/fair.c:dequeue_entities(DEQUEUE_DELAYED), finish_delayed_dequeue_entity().
    """
    se: EevdfEntity = p.se
    dequeue_entity(cfs, p, True)
    se.delayed = False
    if se.vlag > 0:
        se.vlag = 0


def requeue_delayed(cfs: EevdfRq, p: CpuTask, weight: int) -> None:
    """A delayed entity is woken: it goes on where it is, but without credit.

    ``weight``: what it is to have by now.

    Source: kernel/sched/fair.c:requeue_delayed_entity().
    """
    se: EevdfEntity = p.se
    se.delayed = False
    if se.weight != weight:
        reweight_entity(cfs, p, weight)
    update_entity_lag(cfs, se)
    if se.vlag > 0:
        se.vlag = 0
        running = p is cfs.curr
        if not running:
            unlink_entity(cfs, p)
        cfs.nr_queued -= 1
        place_entity(cfs, se, False)
        cfs.nr_queued += 1
        if not running:
            link_entity(cfs, p)


def rescale_entity(se: EevdfEntity, weight: int) -> None:
    """Give an entity a weight; lag and relative deadline keep their worth in real time.

    Source: kernel/sched/fair.c:rescale_entity().
    """
    old = se.weight
    se.set_weight(weight)
    if weight != old:
        se.vlag = div_s64(se.vlag * old, weight)
        if se.rel_deadline:
            se.deadline = div_s64(se.deadline * old, weight)


def restore_entity(cfs: EevdfRq, p: CpuTask, weight: int) -> None:
    """Take a task off its queue and put it back with its new weight; it runs on if it ran.

    Its slice is protected anew then, and while it is off the queue it is in no average.

    Source: kernel/sched/core.c:set_user_nice() (DEQUEUE_SAVE, ENQUEUE_RESTORE).
    """
    running = p is cfs.curr
    dequeue_entity(cfs, p, False)
    rescale_entity(p.se, weight)
    enqueue_entity(cfs, p, False)
    if running:
        se: EevdfEntity = p.se
        unlink_entity(cfs, p)
        cfs.curr = p
        se.vlag = se.deadline


def reweight_entity(cfs: EevdfRq, p: CpuTask, weight: int) -> None:
    """Give ``p``, which is queued, its new weight. Source: fair.c:reweight_entity()."""
    se: EevdfEntity = p.se
    running = p is cfs.curr
    update_entity_lag(cfs, se)
    se.deadline -= se.vruntime
    se.rel_deadline = True
    cfs.nr_queued -= 1
    if not running:
        unlink_entity(cfs, p)
    rescale_entity(se, weight)
    place_entity(cfs, se, False)
    if not running:
        link_entity(cfs, p)
    cfs.nr_queued += 1


def do_preempt_short(cfs: EevdfRq, theirs: EevdfEntity, mine: EevdfEntity) -> bool:
    """Tell whether ``theirs`` may cut off current, ``mine``, for its slice is the shorter one.

    Source: kernel/sched/fair.c:do_preempt_short().
    """
    return (
        cfs.features.preempt_short
        and slice_of(cfs, theirs) < slice_of(cfs, mine)
        and entity_eligible(cfs, theirs)
        and (theirs.deadline < mine.deadline or not entity_eligible(cfs, mine))
    )


def has_ticked(cfs: EevdfRq, now_ns: int) -> bool:
    """Tell whether there was a tick since current was last charged for what it ran."""
    curr = cfs.curr
    return curr is not None and curr.exec_start_ns // cfs.tick_ns != now_ns // cfs.tick_ns


def finish_paid(cfs: EevdfRq) -> None:
    """Dequeue the sleepers that a tick would have found to have paid.

    A task that runs alone may get no ticks here, though delayed sleepers are beside it: they would
    hold back the average for as long as it runs, and who joins it would be placed far behind it.

    Source: kernel/sched/fair.c:entity_tick(), update_deadline(): a tick picks anew after a slice.
    """
    while cfs.nr_queued > cfs.nr_running:
        p = pick_eevdf(cfs)
        se: EevdfEntity = p.se
        if not se.delayed:
            return
        finish_delayed(cfs, p)
