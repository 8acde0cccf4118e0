"""EEVDF on a CPU that has tasks of several groups: what the class does then, level by level.

Every function here is the operation of ``kernel.sched.eevdf`` with the same name for a CPU with a
``GroupTree``; with one group alone both do the same. Time is charged to a task and to all groups it
is in at once. The groups that lead to the running task are current in their queues as it is in its.

Source: kernel/sched/fair.c of Linux 6.12.
"""

from typing import TYPE_CHECKING, Any

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
from kernel.sched.eevdf_entity import (
    dequeue_entity,
    do_preempt_short,
    enqueue_entity,
    finish_delayed,
    requeue_delayed,
    restore_entity,
    settle,
)
from kernel.sched.eevdf_rq import (
    EevdfEntity,
    EevdfRq,
    check_sums,
    clear_buddies,
    entity_eligible,
    link_entity,
    move_zero,
    pick_eevdf,
    slice_of,
    unlink_entity,
)
from kernel.sched.eevdf_tree import (
    caught_up,
    fell,
    load_of,
    plant,
    queue_up,
    settle_chain,
    take_off,
    throttle_group,
    unthrottle_group,
    update_chain,
    update_shares,
    update_shares_up,
)
from kernel.sched.sched_class import (
    DEQUEUE_SLEEP,
    DEQUEUE_SPECIAL,
    ENQUEUE_INITIAL,
    ENQUEUE_MIGRATED,
    WF_FORK,
)
from kernel.sched.task_group import GroupTask, GroupTree, base_load, is_idle, standing
from kernel.sched.weights import weight_of
from kernel.uapi.policy import SCHED_NORMAL

if TYPE_CHECKING:
    from kernel.sched.rq import Rq


# -- on and off the queue -------------------------------------------------------------------------


def enqueue_task(rq: "Rq", flat: EevdfRq, p: CpuTask, flags: int) -> None:
    """Source: kernel/sched/fair.c:enqueue_task_fair()."""
    tree = flat.tree if flat.tree is not None else plant(flat)
    top: EevdfRq = tree.top
    if top.put:
        settle_chain(tree)
    update_chain(rq, tree)
    group = tree.group_of(p)
    queue: EevdfRq = flat if group is None else group.my_q
    se: EevdfEntity = p.se
    if se.slice_ns:
        tree.custom_slices = True
    if se.delayed:
        requeue_delayed(queue, p, weight_of(p.nice, p.policy))
    else:
        if flags & ENQUEUE_MIGRATED:
            p.exec_start_ns = 0  # nothing of it is in this CPU's cache
        enqueue_entity(queue, p, flags & ENQUEUE_INITIAL != 0)
    if queue_up(tree, group, 1):
        flat.nr_running += 1
        flat.tasks[p] = None
    else:
        park_new(rq, tree, p)


def dequeue_task(rq: "Rq", flat: EevdfRq, p: CpuTask, flags: int) -> None:
    """Source: kernel/sched/fair.c:dequeue_entities()."""
    tree = caught_up(rq, flat)
    group = tree.group_of(p)
    queue: EevdfRq = flat if group is None else group.my_q
    if p.parked:
        del tree.parked[p]
    else:
        flat.nr_running -= 1
        del flat.tasks[p]
    clear_buddies(queue, p)
    above = group
    while above is not None:
        above.h_nr -= 1
        if is_throttled(above):
            break
        above = above.parent
    se: EevdfEntity = p.se
    if (
        flags & DEQUEUE_SLEEP
        and not flags & DEQUEUE_SPECIAL
        and flat.features.delay_dequeue
        and not entity_eligible(queue, se)
    ):
        se.delayed = True
        return
    dequeue_entity(queue, p, flags & DEQUEUE_SLEEP != 0)
    _left(rq, tree, group)
    if not tree.queued:
        fell(flat, tree)


def _left(rq: "Rq", tree: GroupTree, group: GroupTask | None) -> None:
    """Somebody has left the queue of ``group``: it leaves the queue above if nobody is left.

    It stays as a debtor if it has had more than its due, as a task that sleeps does.
    """
    while group is not None:
        queue: EevdfRq = group.queue
        my_q: EevdfRq = group.my_q
        se: EevdfEntity = group.se
        if my_q.nr_queued:
            update_shares(tree, group)
        elif se.on_rq and not se.delayed:
            give_back(rq, group)
            if queue.features.delay_dequeue and not entity_eligible(queue, se):
                clear_buddies(queue, group)
                se.delayed = True
            else:
                take_off(tree, group)
        group = group.parent


def _finish_delayed(rq: "Rq", tree: GroupTree, queue: EevdfRq, p: CpuTask) -> None:
    """A debtor, task or group, has paid: take it off, and the groups above that nobody is left in.

    Source: kernel/sched/fair.c:dequeue_entities(DEQUEUE_DELAYED).
    """
    finish_delayed(queue, p)
    if isinstance(p, GroupTask):
        p.on_rq = False
        if p is not tree.base:
            tree.queued -= 1
        _left(rq, tree, p.parent)
    else:
        _left(rq, tree, tree.group_of(p))


def finish_paid(rq: "Rq", flat: EevdfRq) -> None:
    """Dequeue sleepers, and groups without tasks, that a tick would have found to have paid.

    To be called while one task is left. As ``kernel.sched.eevdf_entity.finish_paid`` does in one
    queue: the way of a tick's pick, from the top down, until it finds who runs.

    Source: kernel/sched/fair.c:entity_tick(), update_deadline(), pick_task_fair().
    """
    tree = standing(flat)
    top: EevdfRq = tree.top
    leaf = tree.leaf()
    if top.put or leaf is None or leaf.exec_start_ns // flat.tick_ns == rq.clock_ns // flat.tick_ns:
        return
    update_chain(rq, tree)
    queue = top
    while True:
        p = pick_eevdf(queue)
        se: EevdfEntity = p.se
        if se.delayed:
            _finish_delayed(rq, tree, queue, p)
            queue = top
        elif isinstance(p, GroupTask):
            queue = p.my_q
        else:
            break
    if not tree.queued:
        fell(flat, tree)


# -- who runs -------------------------------------------------------------------------------------


def pick_next_task(rq: "Rq", flat: EevdfRq) -> CpuTask | None:
    """Source: kernel/sched/fair.c:pick_task_fair(), pick_next_task_fair()."""
    tree = standing(flat)
    top: EevdfRq = tree.top
    if top.put and tree.put_task is not rq.curr:
        settle_chain(tree)  # another class has run since
    while top.nr_queued:
        queue = top
        line: list[CpuTask] = []
        while True:
            p = _pick_entity(queue)
            se: EevdfEntity = p.se
            if se.delayed:
                _finish_delayed(rq, tree, queue, p)
                break
            line.append(p)
            if isinstance(p, GroupTask):
                if not may_run(rq, p):
                    throttle_group(rq, flat, tree, p)
                    break
                queue = p.my_q
                continue
            _set_line(tree, line)
            if tree.limits:
                look(rq, tree)
            p.exec_start_ns = rq.clock_ns
            flat.tasks.move_to_end(p)
            if not tree.queued:
                fell(flat, tree)
            return p
    top.curr = None
    top.put = False
    if not tree.queued:
        fell(flat, tree)
    flat.curr = None
    flat.put = False
    return None


def _pick_entity(queue: EevdfRq) -> CpuTask:
    """Source: kernel/sched/fair.c:pick_next_entity()."""
    p = pick_eevdf(queue)
    if queue.next is not None:
        if queue.next is not queue.curr and entity_eligible(queue, queue.next.se):
            p = queue.next
        queue.next = None
    return p


def _set_line(tree: GroupTree, line: list[CpuTask]) -> None:
    """Make those of ``line``, from the top down, current; who was and is not waits."""
    queue: EevdfRq = tree.top
    for p in line:
        curr = queue.curr
        queue.put = False
        if curr is not p:
            if isinstance(curr, GroupTask):
                _settle_below(curr)
            unlink_entity(queue, p)
            queue.curr = p
            if curr is not None:
                se: EevdfEntity = curr.se
                if se.on_rq:
                    link_entity(queue, curr)
            its: EevdfEntity = p.se
            its.vlag = its.deadline
            move_zero(queue)
        if isinstance(p, GroupTask):
            queue = p.my_q


def _settle_below(group: GroupTask) -> None:
    """Queue everybody who was current in ``group``, which is current no longer."""
    curr: CpuTask | None = group
    while isinstance(curr, GroupTask):
        queue: EevdfRq = curr.my_q
        curr = queue.curr
        settle(queue)


def put_prev_task(rq: "Rq", flat: EevdfRq, p: CpuTask) -> None:
    """Source: kernel/sched/fair.c:put_prev_task_fair()."""
    tree = standing(flat)
    update_chain(rq, tree)
    if tree.limits:
        account(rq, tree)
    queue: EevdfRq = tree.top
    while queue.curr is not None:
        queue.put = True
        curr = queue.curr
        if not isinstance(curr, GroupTask):
            break
        queue = curr.my_q
    tree.put_task = p


def set_next_task(rq: "Rq", flat: EevdfRq, p: CpuTask) -> None:
    """Source: kernel/sched/fair.c:set_next_task_fair(), set_next_entity()."""
    tree = standing(flat)
    settle_chain(tree)
    if p.parked:
        return  # who runs on does so until the switch that is due now
    for queue, entity in tree.line_of(p):
        clear_buddies(queue, entity)
    _set_line(tree, [entity for _, entity in tree.line_of(p)])
    p.exec_start_ns = rq.clock_ns
    flat.tasks.move_to_end(p)
    if tree.limits:
        look(rq, tree)


def wakeup_preempt(rq: "Rq", flat: EevdfRq, p: CpuTask, flags: int) -> None:
    """Those two compete that stand in the same queue, tasks or groups.

    Source: kernel/sched/fair.c:check_preempt_wakeup_fair(), do_preempt_short().
    """
    tree = standing(flat)
    curr = rq.curr
    if p.parked:
        return
    if flags & WF_FORK and flat.first is p:
        for level, entity in tree.line_of(p):
            level.next = entity
        rq.need_resched = True
    if curr is p or rq.need_resched:
        return
    level, theirs, mine = tree.common(p, curr)
    queue: EevdfRq = level
    their_se: EevdfEntity = theirs.se
    my_se: EevdfEntity = mine.se
    idle = is_idle(mine)
    newcomer_idle = is_idle(theirs)
    if idle and not newcomer_idle:
        my_se.vlag = my_se.deadline + 1  # its slice is protected no longer
        rq.need_resched = True
        return
    if idle != newcomer_idle or p.policy != SCHED_NORMAL:
        return
    update_chain(rq, tree)
    if do_preempt_short(queue, their_se, my_se):
        my_se.vlag = my_se.deadline + 1
    if pick_eevdf(queue) is theirs:
        rq.need_resched = True


def yield_task(rq: "Rq", flat: EevdfRq) -> None:
    """Within its group; what the group has to itself stays. Source: fair.c:yield_task_fair()."""
    tree = standing(flat)
    curr = rq.curr
    queue: EevdfRq = tree.queue_of(curr)
    clear_buddies(queue, curr)
    update_chain(rq, tree)
    se: EevdfEntity = curr.se
    if entity_eligible(queue, se):
        se.vruntime = se.deadline
        se.deadline += se.calc_delta_fair(slice_of(queue, se))


def task_tick(rq: "Rq", flat: EevdfRq) -> None:
    """Source: kernel/sched/fair.c:task_tick_fair(), entity_tick()."""
    tree = standing(flat)
    update_chain(rq, tree)
    if tree.limits:
        account(rq, tree)
    for group in reversed(tree.chain()):
        update_shares(tree, group)


def reweight_task(rq: "Rq", flat: EevdfRq, p: CpuTask) -> None:
    """Take it off and put it back. Source: kernel/sched/core.c:set_user_nice()."""
    tree = caught_up(rq, flat)
    group = tree.group_of(p)
    queue: EevdfRq = flat if group is None else group.my_q
    clear_buddies(queue, p)
    restore_entity(queue, p, weight_of(p.nice, p.policy))
    if p.on_rq and not p.parked:
        flat.tasks.move_to_end(p)
    update_shares_up(tree, group)


def leave(rq: "Rq", flat: EevdfRq, p: CpuTask) -> None:
    """``p``, a debtor, goes to another CPU or group. Source: fair.c:migrate_task_rq_fair()."""
    tree = caught_up(rq, flat)
    _finish_delayed(rq, tree, tree.queue_of(p), p)
    if not tree.queued:
        fell(flat, tree)


def group_changed(rq: "Rq", flat: EevdfRq, key: int, data: tuple[int, ...]) -> None:
    """The kernel says what a group weighs, what of it is on other CPUs, or that it is gone.

    Source: kernel/sched/fair.c:sched_group_set_shares(), update_tg_load_avg().
    """
    tree: GroupTree | None = flat.groups
    if tree is None:
        raise AssertionError(f"cpu {rq.cpu}: its fair queue knows no groups")
    if key >= GROUP_LIMIT:
        if key == GROUP_LIMIT and flat.tree is not None:
            update_chain(rq, tree)  # what was used before is not charged to the limit
        freed = told(rq, tree, key, data)
        if freed is not None:
            unthrottle_group(rq, flat, freed)
        return
    group = tree.changed(key, data)
    if group is not None and flat.tree is not None:
        top: EevdfRq = tree.top
        if top.put:
            settle_chain(tree)
        update_chain(rq, tree)
        update_shares_up(tree, group)


def h_load(flat: EevdfRq, p: CpuTask) -> int:
    """Return what ``p`` weighs for its CPU: its part of its group's part, and so on.

    Source: kernel/sched/fair.c:task_h_load().
    """
    tree = flat.tree
    se: EevdfEntity = p.se
    if tree is None:
        return base_load(flat.groups, se.weight, load_of(flat))
    load = se.weight
    group = tree.group_of(p)
    while group is not None:
        its: EevdfEntity = group.se
        total = load_of(group.my_q)
        if total:
            load = load * its.weight // total
        group = group.parent
    return max(1, load)


# -- checks ---------------------------------------------------------------------------------------


def check_tree(rq: "Rq", flat: EevdfRq, found: list[str]) -> None:
    """Append to ``found`` what is wrong with the queues of a CPU with groups."""
    tree = standing(flat)
    where = f"cpu {rq.cpu}"
    runnable: list[CpuTask] = []
    queues: list[tuple[str, EevdfRq]] = [(where, tree.top)]
    queues += [(f"{where}, group {gid}", g.my_q) for gid, g in tree.groups.items()]
    for name, queue in queues:
        here: list[Any] = check_sums(queue, name, found)
        runnable += [p for p in here if not isinstance(p, GroupTask) and not p.se.delayed]
    tree.check_counts(where, runnable, found)
    for gid, group in tree.groups.items():
        se: EevdfEntity = group.se
        if is_throttled(group):
            continue
        if se.on_rq != group.on_rq or bool(group.my_q.nr_queued) != (se.on_rq and not se.delayed):
            found.append(f"{where}: group {gid} has tasks and is not queued, or the reverse")
