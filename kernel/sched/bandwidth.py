"""CFS bandwidth on one CPU: groups that may have so much time in every period, and no more.

A group with a limit (``cpu.max``) has a pool of time, which is the kernel's
(``kernel.smp.bandwidth``). A CPU that runs tasks of the group takes a slice of it, 5 ms, uses it
up, and asks for the next one. When the pool is empty the group is *throttled* on that CPU: what
stands for it leaves the queue above it, and its tasks, those of groups below included, stay queued
in it but count for nobody (``CpuTask.parked``, ``GroupTree.parked``) until the kernel has time for
it again.

What a group has used is seen where time is charged, at ticks above all; so it may have used more
than it had. That is a debt, which is paid from what it gets next. A CPU asks by message, and its
group runs until the answer is there: that, too, is a debt.

The two classes with groups differ in how a group comes off a queue and on again. Everything else is
here; ``account``, ``may_run`` and ``look`` are called by them where a group has run, is about to,
or begins to.

Source: kernel/sched/fair.c of Linux 6.12 (account_cfs_rq_runtime, check_cfs_rq_runtime,
throttle_cfs_rq, unthrottle_cfs_rq, return_cfs_rq_runtime).
Deviation: a CPU asks the pool at ticks, at switches and at a timer for the first tick that can find
a group over its time (a task that runs alone may take none), not at every charge; under the scheme
``barrier`` the answer is up to a quantum late. The averages of a throttled task decay as those of a
sleeper do; Linux stops the clock for them.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.sched import pelt
from kernel.sched.sched_class import FAIR_RANK

if TYPE_CHECKING:
    from kernel.cpu.task import CpuTask
    from kernel.sched.fair import FairRq
    from kernel.sched.rq import Rq
    from kernel.sched.task_group import GroupTask, GroupTree

SLICE_NS: Final = 5_000_000  # sched_cfs_bandwidth_slice_us
MIN_RUNTIME_NS: Final = 1_000_000  # min_cfs_rq_runtime: what a queue that empties keeps
LOOK: Final = 7  # key of its timer
KERNEL: Final = -2  # CPU of ``Rq.mail`` for what is about no task
# what a CPU says to the kernel; data begins with the group and the number of its limit
ASK: Final = 1  # how much it wants
THROTTLED: Final = 2  # how much it needs to run again
RETURN: Final = 3  # how much it gives back
# what the kernel says to a CPU, beside the GROUP_ of kernel.sched.task_group
GROUP_LIMIT: Final = 4  # (number, number of its limit; 0: none)
GROUP_RUNTIME: Final = 5  # (number, how much it gets): the answer to ASK
GROUP_UNTHROTTLE: Final = 6  # (number, how much it gets)


class Bandwidth:
    """What a CPU keeps of a group with a limit (``cfs_rq.runtime_remaining`` and so on).

    Args:
        serial: number of the limit; what was said of an earlier one means nothing.

    ``remaining_ns``: what is left of what it got; a debt, if negative. ``asked``: the kernel has
    not answered yet. ``dry``: it has answered that there is nothing.
    """

    __slots__ = ("asked", "dry", "remaining_ns", "serial", "throttled")

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.remaining_ns = 0
        self.asked = False
        self.dry = False
        self.throttled = False

    def pack(self) -> list[Any]:
        """Return it as plain data."""
        return [self.serial, self.remaining_ns, self.asked, self.dry, self.throttled]

    @classmethod
    def unpack(cls, data: "Sequence[Any] | None") -> "Bandwidth | None":
        """Return what ``pack`` described, None of None."""
        if data is None:
            return None
        band = cls(data[0])
        _, band.remaining_ns, band.asked, band.dry, band.throttled = data
        return band


def is_throttled(group: "GroupTask") -> bool:
    """Tell whether this group is, whatever those above it are."""
    return group.band is not None and group.band.throttled


def throttled_hierarchy(group: "GroupTask | None") -> bool:
    """Tell whether a group or one above it is throttled. Source: fair.c:throttled_hierarchy()."""
    while group is not None:
        if group.band is not None and group.band.throttled:
            return True
        group = group.parent
    return False


# -- time -----------------------------------------------------------------------------------------


def account(rq: "Rq", tree: "GroupTree") -> None:
    """Groups have run up to now: see to those that have nothing left.

    Source: kernel/sched/fair.c:__account_cfs_rq_runtime(), assign_cfs_rq_runtime().
    """
    for group in tree.chain():
        band = group.band
        if band is not None and band.remaining_ns <= 0:
            if band.dry:
                rq.need_resched = True
            else:
                _ask(rq, group, band)


def may_run(rq: "Rq", group: "GroupTask") -> bool:
    """Tell whether a group that is to be picked may; False: it is to be throttled.

    Source: kernel/sched/fair.c:check_cfs_rq_runtime().
    """
    band = group.band
    if band is None or band.remaining_ns > 0:
        return True
    if band.dry:
        return False
    _ask(rq, group, band)
    return True


def _ask(rq: "Rq", group: "GroupTask", band: Bandwidth) -> None:
    if band.asked:
        return
    band.asked = True
    data = (group.gid, band.serial, SLICE_NS - band.remaining_ns)
    rq.mail.append((KERNEL, FAIR_RANK, ASK, data))


def look(rq: "Rq", tree: "GroupTree") -> None:
    """Groups begin to run: see to the first tick that can find one of them over its time."""
    least_ns = -1
    for group in tree.chain():
        band = group.band
        if band is not None and not band.asked:
            left_ns = max(band.remaining_ns, 0)
            if least_ns < 0 or left_ns < least_ns:
                least_ns = left_ns
    if least_ns < 0:
        return
    at_ns = ((rq.clock_ns + least_ns) // tree.tick_ns + 1) * tree.tick_ns
    if tree.look:
        if tree.look_ns <= at_ns:
            return
        rq.timers.cancel(tree.look)
    tree.look_ns = at_ns
    tree.look = rq.timers.arm(at_ns, FAIR_RANK, LOOK)


def give_back(rq: "Rq", group: "GroupTask") -> None:
    """Nobody is left in ``group`` on this CPU: others may need what it has more than it does.

    Source: kernel/sched/fair.c:return_cfs_rq_runtime(), __return_cfs_rq_runtime().
    """
    band = group.band
    if band is None or band.throttled or band.remaining_ns <= MIN_RUNTIME_NS:
        return
    slack_ns = band.remaining_ns - MIN_RUNTIME_NS
    band.remaining_ns = MIN_RUNTIME_NS
    rq.mail.append((KERNEL, FAIR_RANK, RETURN, (group.gid, band.serial, slack_ns)))


# -- who counts -----------------------------------------------------------------------------------


def park_new(rq: "Rq", tree: "GroupTree", p: "CpuTask") -> None:
    """``p`` is queued in a group that is throttled, or in one below it."""
    if rq.pelt is not None:
        pelt.dequeued(rq, rq.pelt, p, 0)
    p.parked = True
    tree.parked[p] = None


def throttle(rq: "Rq", flat: "FairRq", tree: "GroupTree", group: "GroupTask") -> None:
    """``group`` has left the queue above it: its tasks count no more.

    Source: kernel/sched/fair.c:throttle_cfs_rq(), tg_throttle_down().
    """
    band = group.band
    if band is None:
        raise AssertionError(f"{group!r} has no limit")
    band.throttled = True
    band.dry = False
    gid = group.gid
    for p in [p for p in flat.tasks if gid in p.group]:
        del flat.tasks[p]
        flat.nr_running -= 1
        rq.nr_running -= 1
        if rq.pelt is not None:
            pelt.dequeued(rq, rq.pelt, p, 0)
        p.parked = True
        tree.parked[p] = None
    data = (gid, band.serial, 1 - band.remaining_ns)
    rq.mail.append((KERNEL, FAIR_RANK, THROTTLED, data))


def unpark(rq: "Rq", flat: "FairRq", tree: "GroupTree", group: "GroupTask") -> None:
    """``group`` is back: its tasks count, but for those of groups in it that are throttled.

    Source: kernel/sched/fair.c:unthrottle_cfs_rq().
    """
    gid = group.gid
    curr = rq.curr.sched_class
    for p in [p for p in tree.parked if gid in p.group]:
        if throttled_hierarchy(tree.group_of(p)):
            continue
        del tree.parked[p]
        p.parked = False
        if rq.pelt is not None:
            pelt.enqueued(rq, rq.pelt, p)
        flat.tasks[p] = None
        flat.nr_running += 1
        rq.nr_running += 1
        if flat.nr_running == 1 and curr is not None and curr.rank < FAIR_RANK:
            curr.left_behind(rq)
    if rq.curr is rq.idle and flat.nr_running:
        rq.need_resched = True


# -- what the kernel says -------------------------------------------------------------------------


def told(rq: "Rq", tree: "GroupTree", key: int, data: tuple[int, ...]) -> "GroupTask | None":
    """Take what the kernel says; return the group if it is throttled no longer.

    The class has to put it back on its queue, and then calls ``unpark``.
    """
    gid, number = data
    group = tree.groups.get(gid)
    if key == GROUP_LIMIT:
        if number:
            tree.limits[gid] = number
        else:
            tree.limits.pop(gid, None)
        if group is None:
            return None
        freed = is_throttled(group)
        group.band = Bandwidth(number) if number else None
        if number and group in tree.chain():
            look(rq, tree)
        return group if freed else None
    if group is None or group.band is None:
        return None  # its limit is gone, or what stood for it is forgotten
    band = group.band
    if key == GROUP_RUNTIME:
        band.asked = False
        band.remaining_ns += number
        band.dry = band.remaining_ns <= 0  # if nobody of it runs now: until somebody is to
        if group in tree.chain():
            if band.dry:
                rq.need_resched = True
            else:
                look(rq, tree)
        return None
    band.remaining_ns += number
    if not band.throttled:
        return None
    band.throttled = False
    return group


def packed_parked(tree: "GroupTree") -> list[Any]:
    """Return who is parked, and which timer looks, as plain data."""
    return [
        [p.pid for p in tree.parked], tree.look, tree.look_ns, list(tree.limits.items()),
    ]  # fmt: skip


def unpack_parked(tree: "GroupTree", data: Sequence[Any], tasks: Any) -> None:
    """Take what ``packed_parked`` returned; ``tasks`` by pid."""
    pids, tree.look, tree.look_ns, limits = data
    tree.parked = OrderedDict((tasks[pid], None) for pid in pids)
    tree.limits = dict(limits)
    for p in tree.parked:
        p.parked = True
