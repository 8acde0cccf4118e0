"""The queues of a CPU that has tasks of several groups under EEVDF: the tree, its time and weights.

Source: kernel/sched/fair.c of Linux 6.12.
"""

from typing import TYPE_CHECKING

from kernel.sched.bandwidth import is_throttled, throttle, unpark
from kernel.sched.eevdf_entity import (
    dequeue_entity,
    enqueue_entity,
    requeue_delayed,
    rescale_entity,
    reweight_entity,
    settle,
)
from kernel.sched.eevdf_rq import (
    EevdfEntity,
    EevdfRq,
    clear_buddies,
    counts_curr,
    slice_of,
    unlink_entity,
    update_curr,
)
from kernel.sched.task_group import (
    GroupTask,
    GroupTree,
    calc_group_shares,
    groups_of,
    standing,
)

if TYPE_CHECKING:
    from kernel.sched.rq import Rq


def plant(flat: EevdfRq) -> GroupTree:
    """A task of another group has come to a CPU without any: let the tree stand.

    What is on ``flat`` becomes what the first session's group has, if that is to be one.
    """
    tree = groups_of(flat)
    flat.tree = tree
    tree.custom_slices |= any(p.se.slice_ns for p in flat.tasks)
    base = tree.base
    if base is not None and flat.nr_queued:
        top: EevdfRq = tree.top
        base.h_nr = flat.nr_running
        base.exec_start_ns = 0
        update_shares(tree, base)
        running = counts_curr(flat)
        enqueue_entity(top, base, False)
        base.on_rq = True
        if running:
            se: EevdfEntity = base.se
            unlink_entity(top, base)
            top.curr = base
            se.vlag = se.deadline
            top.put = flat.put
    return tree


def fell(flat: EevdfRq, tree: GroupTree) -> None:
    """The last task of another group has left: ``flat`` is all there is again."""
    base = tree.base
    if base is not None:
        se: EevdfEntity = base.se
        top: EevdfRq = tree.top
        if se.on_rq:
            dequeue_entity(top, base, True)
            base.on_rq = False
            se.delayed = False
            se.vlag = 0  # it is alone: nobody owes it anything
        top.curr = None
        top.put = False
        base.h_nr = 0
    flat.tree = None
    tree.put_task = None


# -- time and weights -----------------------------------------------------------------------------


def update_chain(rq: "Rq", tree: GroupTree) -> None:
    """Charge the running task and its groups. Source: kernel/sched/fair.c:update_curr()."""
    top: EevdfRq = tree.top
    if top.put:
        return
    leaf = tree.leaf()
    if leaf is None or rq.clock_ns <= leaf.exec_start_ns:
        return
    since_ns = leaf.exec_start_ns
    queue = top
    for group in tree.chain():
        group.exec_start_ns = since_ns
        update_curr(rq, queue)
        if group.band is not None:
            group.band.remaining_ns -= rq.clock_ns - since_ns
        queue = group.my_q
    update_curr(rq, queue)


def caught_up(rq: "Rq", flat: EevdfRq) -> GroupTree:
    """Return the tree with everybody queued who was put, and the running task charged."""
    tree = standing(flat)
    top: EevdfRq = tree.top
    if top.put:
        settle_chain(tree)
    update_chain(rq, tree)
    return tree


def settle_chain(tree: GroupTree) -> None:
    """Queue everybody who was put and not picked again, level by level."""
    queue: EevdfRq = tree.top
    while True:
        curr = queue.curr
        settle(queue)
        if not isinstance(curr, GroupTask):
            return
        queue = curr.my_q


def load_of(queue: EevdfRq) -> int:
    """Return what is queued and current. Source: kernel/sched/sched.h (cfs_rq.load)."""
    curr = queue.curr
    if curr is None:
        return queue.avg_load
    se: EevdfEntity = curr.se
    load: int = queue.avg_load + (se.weight if se.on_rq else 0)
    return load


def update_shares(tree: GroupTree, group: GroupTask) -> None:
    """Give a group that has tasks the weight it is to have on this CPU now, and their slice.

    Source: kernel/sched/fair.c:update_cfs_group(), enqueue_task_fair().
    """
    my_q: EevdfRq = group.my_q
    if not my_q.nr_queued:
        return
    se: EevdfEntity = group.se
    shares = calc_group_shares(group, load_of(my_q))
    if shares != se.weight:
        if se.on_rq:
            reweight_entity(group.queue, group, shares)
        else:
            rescale_entity(se, shares)
    if tree.custom_slices:
        se.slice_ns = _min_slice(my_q)


def _min_slice(queue: EevdfRq) -> int:
    """Return the shortest slice that anybody on the queue asks for.

    Source: kernel/sched/fair.c:cfs_rq_min_slice().
    """
    slices = [slice_of(queue, p.se) for p in queue.waiting.tasks()]
    if queue.curr is not None and counts_curr(queue):
        slices.append(slice_of(queue, queue.curr.se))
    return min(slices)


def update_shares_up(tree: GroupTree, group: GroupTask | None) -> None:
    """Weigh a group and those above it anew."""
    while group is not None:
        update_shares(tree, group)
        group = group.parent


# -- groups that come and go ----------------------------------------------------------------------


def queue_up(tree: GroupTree, group: GroupTask | None, number: int) -> bool:
    """``number`` tasks more can run in ``group``: queue it and those above it.

    Return False if one of them is throttled: then nothing changes above that.

    Source: kernel/sched/fair.c:enqueue_task_fair().
    """
    while group is not None:
        group.h_nr += number
        if is_throttled(group):
            return False
        its: EevdfEntity = group.se
        if not its.on_rq:
            update_shares(tree, group)
            enqueue_entity(group.queue, group, False)
            group.on_rq = True
            if group is not tree.base:
                tree.queued += 1
        else:
            if its.delayed:
                requeue_delayed(group.queue, group, its.weight)
            update_shares(tree, group)
        group = group.parent
    return True


def take_off(tree: GroupTree, group: GroupTask) -> None:
    """Take a group off the queue above it, with the lag it has; it is no debtor."""
    queue: EevdfRq = group.queue
    clear_buddies(queue, group)
    dequeue_entity(queue, group, True)
    group.on_rq = False
    if group is not tree.base:
        tree.queued -= 1


def throttle_group(rq: "Rq", flat: EevdfRq, tree: GroupTree, group: GroupTask) -> None:
    """``group``, which has been put, has nothing left: it goes, with those only it was in.

    Source: kernel/sched/fair.c:throttle_cfs_rq().
    """
    settle_chain(tree)
    take_off(tree, group)
    tree.queued += 1  # it counts nevertheless
    above = group.parent
    while above is not None:
        above.h_nr -= group.h_nr
        my_q: EevdfRq = above.my_q
        se: EevdfEntity = above.se
        if my_q.nr_queued:
            update_shares(tree, above)
        elif se.on_rq:
            take_off(tree, above)
        above = above.parent
    throttle(rq, flat, tree, group)


def unthrottle_group(rq: "Rq", flat: EevdfRq, group: GroupTask) -> None:
    """``group`` has time again. Source: kernel/sched/fair.c:unthrottle_cfs_rq()."""
    tree = caught_up(rq, flat)
    tree.queued -= 1
    my_q: EevdfRq = group.my_q
    if my_q.nr_queued:
        number = group.h_nr
        group.h_nr = 0
        queue_up(tree, group, number)
        unpark(rq, flat, tree, group)
    if not tree.queued:
        fell(flat, tree)
