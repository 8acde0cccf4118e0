"""CFS on a CPU that has tasks of several groups: what the class does then, level by level.

Every function here is the operation of ``kernel.sched.cfs`` with the same name for a CPU with a
``GroupTree``; with one group alone both do the same. Time is charged to a task and to all groups it
is in at once.

Source: kernel/sched/fair.c of Linux 6.1.
"""

from typing import TYPE_CHECKING

from kernel.cpu.task import CpuTask
from kernel.sched.bandwidth import (
    GROUP_LIMIT,
    account,
    give_back,
    is_throttled,
    look,
    may_run,
    park_new,
    told,
)
from kernel.sched.cfs_rq import (
    CfsEntity,
    CfsRq,
    check_level,
    clear_buddies,
    enqueue_entity,
    pick_entity,
    place_entity,
    unlink_entity,
    update_min_vruntime,
    wakeup_preempt_entity,
)
from kernel.sched.cfs_tree import (
    dequeue_group,
    fell,
    plant,
    put_chain,
    queue_up,
    set_next_entity,
    throttle_group,
    unthrottle_group,
    update_chain,
    update_shares,
    update_shares_up,
)
from kernel.sched.sched_class import (
    DEQUEUE_SLEEP,
    ENQUEUE_MIGRATED,
    ENQUEUE_WAKEUP,
)
from kernel.sched.task_group import GroupTask, GroupTree, base_load, groups_of, is_idle, standing
from kernel.sched.weights import WMULT_CONST, reduce_factor
from kernel.uapi.policy import SCHED_BATCH, SCHED_IDLE, SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.sched.rq import Rq


def sched_slice(flat: CfsRq, tree: GroupTree, p: CpuTask) -> int:
    """Return how long ``p``, a task or a group, may run in one period, in ns.

    Source: kernel/sched/fair.c:sched_slice(), with ALT_PERIOD and BASE_SLICE.
    """
    number = flat.nr_running + (0 if p.on_rq else 1)
    least = flat.min_granularity_ns
    part = flat.latency_ns if number <= flat.nr_latency else number * least
    queue: CfsRq
    if isinstance(p, GroupTask):
        queue = p.queue
        above = p.parent
    else:
        queue = tree.queue_of(p)
        above = tree.group_of(p)
    part = _period_part(queue, p, part)
    while above is not None:
        part = _period_part(above.queue, above, part)
        above = above.parent
    return max(part, least)


def _period_part(queue: CfsRq, p: CpuTask, period: int) -> int:
    """Return what ``p`` gets of ``period`` in its queue. Source: fair.c:__calc_delta()."""
    se: CfsEntity = p.se
    load = queue.load_weight if p.on_rq else queue.load_weight + se.weight
    factor, shift = reduce_factor(se.weight, WMULT_CONST // load)
    return period * factor >> shift


# -- on and off the queue -------------------------------------------------------------------------


def enqueue_task(rq: "Rq", flat: CfsRq, p: CpuTask, flags: int) -> None:
    """Source: kernel/sched/fair.c:enqueue_task_fair()."""
    tree = flat.tree if flat.tree is not None else plant(flat)
    update_chain(rq, tree)
    group = tree.group_of(p)
    queue: CfsRq = flat if group is None else group.my_q
    se: CfsEntity = p.se
    if not flags & ENQUEUE_WAKEUP or flags & ENQUEUE_MIGRATED:
        se.vruntime += queue.min_vruntime
        if flags & ENQUEUE_MIGRATED:
            p.exec_start_ns = 0  # nothing of it is in this CPU's cache
    queue.load_weight += se.weight
    if flags & ENQUEUE_WAKEUP:
        place_entity(queue, p, False)
    enqueue_entity(queue, p)
    if queue_up(tree, group, 1):
        flat.nr_running += 1
        flat.tasks[p] = None
    else:
        park_new(rq, tree, p)


def dequeue_task(rq: "Rq", flat: CfsRq, p: CpuTask, flags: int) -> None:
    """Source: kernel/sched/fair.c:dequeue_task_fair()."""
    tree = standing(flat)
    update_chain(rq, tree)
    group = tree.group_of(p)
    queue: CfsRq = flat if group is None else group.my_q
    clear_buddies(queue, p)
    if p is queue.curr:
        queue.curr = None
    else:
        unlink_entity(queue, p)
    se: CfsEntity = p.se
    queue.load_weight -= se.weight
    if p.parked:
        del tree.parked[p]
    else:
        flat.nr_running -= 1
        del flat.tasks[p]
    if not flags & DEQUEUE_SLEEP:
        se.vruntime -= queue.min_vruntime
    update_min_vruntime(queue)
    biased = not flags & DEQUEUE_SLEEP
    while group is not None:
        group.h_nr -= 1
        if is_throttled(group):
            break
        my_q: CfsRq = group.my_q
        if my_q.load_weight:
            update_shares(group)
            if not biased:
                _set_next_buddy(group)  # its group has not used up its turn
                biased = True
        else:
            give_back(rq, group)
            dequeue_group(tree, group)
        group = group.parent
    if not tree.queued:
        fell(flat, tree)


def _set_next_buddy(group: GroupTask | None) -> None:
    """Source: kernel/sched/fair.c:set_next_buddy()."""
    while group is not None:
        group.queue.next = group
        group = group.parent


# -- who runs -------------------------------------------------------------------------------------


def pick_next_task(rq: "Rq", flat: CfsRq) -> CpuTask | None:
    """Source: kernel/sched/fair.c:pick_next_task_fair()."""
    tree = standing(flat)
    top: CfsRq = tree.top
    queue = top
    while True:
        if not queue.timeline:
            return None  # the top: in a group that is queued there is somebody
        p = pick_entity(queue)
        queue.curr = p
        p.exec_start_ns = rq.clock_ns
        se: CfsEntity = p.se
        if not isinstance(p, GroupTask):
            break
        if not may_run(rq, p):
            put_chain(tree)
            throttle_group(rq, flat, tree, p)
            queue = top
            continue
        if p not in tree.was:  # else its turn goes on
            se.prev_sum_exec_ns = p.sum_exec_ns
        queue = p.my_q
    se.prev_sum_exec_ns = p.sum_exec_ns
    tree.was = ()
    flat.tasks.move_to_end(p)
    if tree.limits:
        look(rq, tree)
    return p


def put_prev_task(rq: "Rq", flat: CfsRq) -> None:
    """Source: kernel/sched/fair.c:put_prev_task_fair(), put_prev_entity()."""
    tree = standing(flat)
    update_chain(rq, tree)
    if tree.limits:
        account(rq, tree)
    tree.was = tuple(tree.chain())
    leaf = tree.leaf()
    queue: CfsRq
    if leaf is not None:
        queue = tree.queue_of(leaf)
        queue.curr = None
        enqueue_entity(queue, leaf)
    put_chain(tree)


def set_next_task(rq: "Rq", flat: CfsRq, p: CpuTask) -> None:
    """Source: kernel/sched/fair.c:set_next_task_fair(), set_next_entity()."""
    tree = standing(flat)
    if p.parked:
        return  # who runs on does so until the switch that is due now
    for queue, entity in tree.line_of(p):
        clear_buddies(queue, entity)
        unlink_entity(queue, entity)
        entity.exec_start_ns = rq.clock_ns
        set_next_entity(queue, entity)
    flat.tasks.move_to_end(p)
    if tree.limits:
        look(rq, tree)


def wakeup_preempt(rq: "Rq", flat: CfsRq, p: CpuTask) -> None:
    """Those two compete that stand in the same queue. Source: fair.c:check_preempt_wakeup()."""
    tree = standing(flat)
    curr = rq.curr
    if curr is p or rq.need_resched or p.parked:
        return
    if curr.policy == SCHED_IDLE and p.policy != SCHED_IDLE:
        rq.need_resched = True
        return
    if p.policy != SCHED_NORMAL:
        return
    level, theirs, mine = tree.common(p, curr)
    queue: CfsRq = level
    idle = is_idle(mine)
    if idle != is_idle(theirs):
        rq.need_resched = idle
        return
    update_chain(rq, tree)
    if wakeup_preempt_entity(queue, mine, theirs) != 1:
        return
    queue.next = theirs
    _set_next_buddy(theirs.parent if isinstance(theirs, GroupTask) else tree.group_of(p))
    rq.need_resched = True
    own: CfsRq = tree.queue_of(curr)
    if mine is curr and curr.on_rq and len(own.waiting()) + 1 >= own.nr_latency:
        queue.last = curr
        above = tree.group_of(curr)
        while above is not None:
            above.queue.last = above
            above = above.parent


def yield_task(rq: "Rq", flat: CfsRq) -> None:
    """Source: kernel/sched/fair.c:yield_task_fair(), set_skip_buddy()."""
    tree = standing(flat)
    curr = rq.curr
    if curr.parked:
        return
    clear_buddies(tree.queue_of(curr), curr)
    if curr.policy != SCHED_BATCH:
        update_chain(rq, tree)
    for queue, entity in tree.line_of(curr):
        queue.skip = entity


def task_tick(rq: "Rq", flat: CfsRq, p: CpuTask) -> None:
    """Source: kernel/sched/fair.c:task_tick_fair(), entity_tick(), check_preempt_tick()."""
    tree = standing(flat)
    update_chain(rq, tree)
    if p.parked:
        return
    if tree.limits:
        account(rq, tree)
    for level, entity in tree.line_of(p)[::-1]:
        queue: CfsRq = level
        if isinstance(entity, GroupTask):
            update_shares(entity)
        if not queue.timeline:
            continue
        ideal = sched_slice(flat, tree, entity)
        se: CfsEntity = entity.se
        ran = entity.sum_exec_ns - se.prev_sum_exec_ns
        if ran > ideal:
            rq.need_resched = True
            clear_buddies(queue, entity)
        elif ran >= flat.min_granularity_ns and se.vruntime - queue.timeline[0][0] > ideal:
            rq.need_resched = True


# -- the life of a task ---------------------------------------------------------------------------


def task_fork(rq: "Rq", flat: CfsRq, parent: CpuTask, child: CpuTask, flags: int) -> None:
    """Source: kernel/sched/fair.c:task_fork_fair()."""
    tree = standing(flat)
    update_chain(rq, tree)
    queue: CfsRq = tree.queue_of(child)
    se: CfsEntity = child.se
    debt = queue.min_vruntime + se.calc_delta_fair(sched_slice(flat, tree, child))
    same = parent.sched_class is child.sched_class
    mine: CfsEntity = parent.se if same else se
    se.vruntime = max(mine.vruntime, debt) if same else debt
    if same and flat.first >> flags & 1 and mine.vruntime < se.vruntime:
        running = parent is queue.curr
        if not running:
            unlink_entity(queue, parent)
        mine.vruntime, se.vruntime = se.vruntime, mine.vruntime
        if running:
            rq.need_resched = True
        else:
            enqueue_entity(queue, parent)
    se.vruntime -= queue.min_vruntime


def reweight_task(flat: CfsRq, p: CpuTask, more: int) -> None:
    """``p`` weighs ``more`` than it did: take it off and put it back.

    Source: kernel/sched/core.c:set_user_nice(), kernel/sched/fair.c:reweight_task().
    """
    tree = standing(flat)
    queue: CfsRq = tree.queue_of(p)
    clear_buddies(queue, p)
    queue.load_weight += more
    se: CfsEntity = p.se
    if p is queue.curr:
        se.prev_sum_exec_ns = p.sum_exec_ns
    else:
        unlink_entity(queue, p)
        enqueue_entity(queue, p)
    if not p.parked:
        flat.tasks.move_to_end(p)
    update_shares_up(tree.group_of(p))


def group_changed(rq: "Rq", flat: CfsRq, key: int, data: tuple[int, ...]) -> None:
    """The kernel says what a group weighs, what of it is on other CPUs, or that it is gone.

    Source: kernel/sched/fair.c:sched_group_set_shares(), update_tg_load_avg().
    """
    tree = groups_of(flat)
    if key >= GROUP_LIMIT:
        if key == GROUP_LIMIT and flat.tree is not None:
            update_chain(rq, tree)  # what was used before is not charged to the limit
        freed = told(rq, tree, key, data)
        if freed is not None:
            unthrottle_group(rq, flat, freed)
        return
    group = tree.changed(key, data)
    if group is not None and flat.tree is not None:
        update_chain(rq, tree)
        update_shares_up(group)


def h_load(flat: CfsRq, p: CpuTask) -> int:
    """Return what ``p`` weighs for its CPU: its part of its group's part, and so on.

    Source: kernel/sched/fair.c:task_h_load().
    """
    tree = flat.tree
    se: CfsEntity = p.se
    if tree is None:
        return base_load(flat.groups, se.weight, flat.load_weight)
    load = se.weight
    group = tree.group_of(p)
    while group is not None:
        its: CfsEntity = group.se
        my_q: CfsRq = group.my_q
        if my_q.load_weight:
            load = load * its.weight // my_q.load_weight
        group = group.parent
    return max(1, load)


# -- checks ---------------------------------------------------------------------------------------


def check_tree(rq: "Rq", flat: CfsRq, found: list[str]) -> None:
    """Append to ``found`` what is wrong with the queues of a CPU with groups."""
    tree = standing(flat)
    where = f"cpu {rq.cpu}"
    runnable = list(check_level(tree.top, where, found))
    for gid, group in tree.groups.items():
        runnable += check_level(group.my_q, f"{where}, group {gid}", found)
    tasks = [p for p in runnable if not isinstance(p, GroupTask)]
    tree.check_counts(where, tasks, found)
    for gid, group in tree.groups.items():
        my_q: CfsRq = group.my_q
        if (my_q.load_weight > 0) != group.on_rq and not is_throttled(group):
            found.append(f"{where}: group {gid} has tasks and is not queued, or the reverse")
