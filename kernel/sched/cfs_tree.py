"""The queues of a CPU that has tasks of several groups under CFS: the tree, its time and weights.

Source: kernel/sched/fair.c of Linux 6.1.
"""

from typing import TYPE_CHECKING

from kernel.cpu.task import CpuTask
from kernel.sched.bandwidth import is_throttled, throttle, unpark
from kernel.sched.cfs_rq import (
    CfsEntity,
    CfsRq,
    clear_buddies,
    enqueue_entity,
    place_entity,
    unlink_entity,
    update_curr,
    update_min_vruntime,
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


def queue_of(flat: CfsRq, p: CpuTask) -> CfsRq:
    """Return the queue of the tasks in the group of ``p``, whether a tree stands or not."""
    if flat.tree is None and not p.group:
        return flat
    queue: CfsRq = groups_of(flat).queue_of(p)
    return queue


def plant(flat: CfsRq) -> GroupTree:
    """A task of another group has come to a CPU without any: let the tree stand."""
    tree = groups_of(flat)
    flat.tree = tree
    base = tree.base
    if base is not None and flat.nr_running:
        top: CfsRq = tree.top
        base.h_nr = flat.nr_running
        update_shares(base)
        enqueue_group(tree, base)
        if flat.curr is not None:
            unlink_entity(top, base)
            set_next_entity(top, base)
    return tree


def fell(flat: CfsRq, tree: GroupTree) -> None:
    """The last task of another group has left: ``flat`` is all there is again."""
    base = tree.base
    if base is not None:
        if base.on_rq:
            dequeue_group(tree, base)
        base.h_nr = 0
    tree.was = ()
    flat.tree = None


# -- time and weights -----------------------------------------------------------------------------


def update_chain(rq: "Rq", tree: GroupTree) -> None:
    """Charge the running task and its groups. Source: kernel/sched/fair.c:update_curr()."""
    leaf = tree.leaf()
    if leaf is None or rq.clock_ns <= leaf.exec_start_ns:
        return
    since_ns = leaf.exec_start_ns
    queue: CfsRq = tree.top
    for group in tree.chain():
        group.exec_start_ns = since_ns
        update_curr(queue, rq.clock_ns)
        if group.band is not None:
            group.band.remaining_ns -= rq.clock_ns - since_ns
        queue = group.my_q
    update_curr(queue, rq.clock_ns)


def update_shares(group: GroupTask) -> None:
    """Give a group that has tasks the weight it is to have on this CPU now.

    Source: kernel/sched/fair.c:update_cfs_group(), reweight_entity().
    """
    my_q: CfsRq = group.my_q
    load: int = my_q.load_weight
    if not load:
        return
    se: CfsEntity = group.se
    shares = calc_group_shares(group, load)
    if shares == se.weight:
        return
    queue: CfsRq = group.queue
    if group.on_rq:
        queue.load_weight += shares - se.weight
    se.set_weight(shares)


def update_shares_up(group: GroupTask | None) -> None:
    while group is not None:
        update_shares(group)
        group = group.parent


def enqueue_group(tree: GroupTree, group: GroupTask) -> None:
    """Put a group that has got a task into the queue above it, as one that slept."""
    queue: CfsRq = group.queue
    se: CfsEntity = group.se
    queue.load_weight += se.weight
    place_entity(queue, group, False)
    enqueue_entity(queue, group)
    group.on_rq = True
    if group is not tree.base:
        tree.queued += 1


def dequeue_group(tree: GroupTree, group: GroupTask) -> None:
    """Take a group that has no task left off the queue above it."""
    queue: CfsRq = group.queue
    se: CfsEntity = group.se
    clear_buddies(queue, group)
    if group is queue.curr:
        queue.curr = None
    else:
        unlink_entity(queue, group)
    queue.load_weight -= se.weight
    group.on_rq = False
    update_min_vruntime(queue)
    if group is not tree.base:
        tree.queued -= 1


def set_next_entity(queue: CfsRq, p: CpuTask) -> None:
    se: CfsEntity = p.se
    se.prev_sum_exec_ns = p.sum_exec_ns
    queue.curr = p


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
        update_shares(group)
        if not group.on_rq:
            enqueue_group(tree, group)
        group = group.parent
    return True


def throttle_group(rq: "Rq", flat: CfsRq, tree: GroupTree, group: GroupTask) -> None:
    """``group``, which waits, has nothing left: it goes, with those only it was in.

    Source: kernel/sched/fair.c:throttle_cfs_rq().
    """
    dequeue_group(tree, group)
    tree.queued += 1  # it counts nevertheless
    above = group.parent
    while above is not None:
        above.h_nr -= group.h_nr
        my_q: CfsRq = above.my_q
        if my_q.load_weight:
            update_shares(above)
        elif above.on_rq:
            dequeue_group(tree, above)
        above = above.parent
    throttle(rq, flat, tree, group)


def unthrottle_group(rq: "Rq", flat: CfsRq, group: GroupTask) -> None:
    """``group`` has time again. Source: kernel/sched/fair.c:unthrottle_cfs_rq()."""
    tree = standing(flat)
    update_chain(rq, tree)
    tree.queued -= 1
    my_q: CfsRq = group.my_q
    if my_q.load_weight:
        number = group.h_nr
        group.h_nr = 0
        queue_up(tree, group, number)
        unpark(rq, flat, tree, group)
    if not tree.queued:
        fell(flat, tree)


def put_chain(tree: GroupTree) -> None:
    """Let those wait who are current, from the bottom up."""
    for group in reversed(tree.chain()):
        queue: CfsRq = group.queue
        queue.curr = None
        enqueue_entity(queue, group)
