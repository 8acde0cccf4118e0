"""Groups of tasks on one CPU: what stands for each in the queue of its parent, and its own queue.

The fair classes share a CPU among groups first, and then among those in a group. So a CPU has a
queue for each group that has tasks on it, and for each of these a ``GroupTask`` in the queue above.
To that queue it is a task like any other: it has virtual run time, weight and lag. A pick goes down
from the top, from queue to queue, until it meets a task.

The queue that ``rq.of`` has of a fair class is ``flat``: the tasks of the machine's first session
are in it. As long as all tasks of a CPU are, it is all there is, and the class works on it as if
there were no groups (``FairRq.tree`` is None). When one of another group comes, a ``GroupTree`` is
put on top. With autogroup (``MachineSpec.autogroup``) the first session is a group as any other
then: ``flat`` becomes the queue of ``base``. Without it ``flat`` is the top, and its tasks have the
other groups for neighbours. ``flat`` counts and lists all tasks of the CPU, in whichever group.

A group is known to CPUs by a number; a task carries the numbers from the top down to its group
(``CpuTask.group``, () for the first session). The weight of a group is divided among CPUs as its
runnable tasks are (``calc_group_shares``). What runs elsewhere says the kernel: ``others``.

Source: kernel/sched/sched.h (struct task_group, cfs_rq), kernel/sched/fair.c, autogroup.c.
Deviation: the weight of a group on a CPU is in units of which a task of nice 0 has 1024; Linux's
are a thousand times finer.
Deviation: kernel threads count among the first session; in Linux they are beside all sessions.
Deviation: of more than 64 groups that have nothing to run on a CPU, it forgets some: they come back
without lag.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kernel.cpu.task import CpuTask
from kernel.sched.bandwidth import Bandwidth, is_throttled, packed_parked, unpack_parked
from kernel.sched.weights import NICE_0_LOAD, WEIGHT_IDLEPRIO
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.uapi.policy import SCHED_IDLE

if TYPE_CHECKING:
    from kernel.machine import MachineSpec
    from kernel.sched.fair import FairRq

BASE_GROUP: Final = 1  # the number of the first session's group
FIRST_CGROUP: Final = 2  # that of the first of ``MachineSpec.cgroups``; the others follow
# what the kernel tells the fair class of every CPU: key and data
GROUP_WEIGHT: Final = 1  # (number, shares)
GROUP_OTHERS: Final = 2  # (number, load of it on other CPUs)
GROUP_GONE: Final = 3  # (number,)
MIN_SHARES: Final = 2
MAX_SHARES: Final = 1 << 18
_KEPT: Final = 64  # groups without runnable tasks that a CPU remembers


class GroupTask(CpuTask):
    """What stands for a group in the queue above it, on one CPU (``tg->se[cpu]``).

    Args:
        path: numbers of the groups from the top down to this one.
        parent: the group above it; None: it stands in the top queue.
        queue: where it stands; ``my_q`` is the queue of those that are in it.
        entity: the class's part, as a task has it.

    ``h_nr``: runnable tasks in it and in groups below it that are not throttled. ``shares``: its
    weight. ``others``: the load of its tasks on other CPUs. ``band``: if it has a limit. Its pid is
    its number with a minus, so that a queue may name it as it names tasks.
    """

    __slots__ = ("band", "gid", "h_nr", "my_q", "others", "parent", "path", "queue", "shares")

    def __init__(
        self,
        path: tuple[int, ...],
        parent: "GroupTask | None",
        queue: Any,
        my_q: Any,
        entity: Any,
    ) -> None:
        gid = path[-1]
        super().__init__(-gid, -gid, f"group {gid}")
        self.path = path
        self.gid = gid
        self.parent = parent
        self.queue = queue
        self.my_q = my_q
        self.se = entity
        self.h_nr = 0
        self.shares = NICE_0_LOAD
        self.others = 0
        self.band: Bandwidth | None = None

    def __repr__(self) -> str:
        return f"<group {self.gid}>"

    def is_idle(self) -> bool:
        """Tell whether the group is idle (cpu.idle): nothing else weighs as little."""
        return self.shares == WEIGHT_IDLEPRIO


def is_idle(entity: CpuTask) -> bool:
    """Tell whether a task or a group gives way to all that is not idle.

    Source: kernel/sched/fair.c:se_is_idle().
    Deviation: for wake-ups a CPU that runs tasks of idle groups only is a busy one.
    """
    if isinstance(entity, GroupTask):
        return entity.is_idle()
    return entity.policy == SCHED_IDLE


def autogroup_in(spec: "MachineSpec") -> bool:
    """Tell whether sessions are groups on a machine whose class takes groups (2.6.38 and later)."""
    return spec.autogroup and spec.linux != "2.6.34"


def cgroup_weights(cgroups: Sequence[tuple[str, int]]) -> dict[int, int]:
    """Return by number the weights of ``MachineSpec.cgroups`` that are not as by default."""
    return {
        FIRST_CGROUP + place: shares
        for place, (_, shares) in enumerate(cgroups)
        if shares != NICE_0_LOAD
    }


def calc_group_shares(group: GroupTask, load: int) -> int:
    """Return what a group weighs on this CPU, where its tasks weigh ``load``.

    Source: kernel/sched/fair.c:calc_group_shares().
    """
    total = group.others + load
    shares = group.shares * load // total if total else group.shares
    return max(MIN_SHARES, min(shares, group.shares))


def base_load(tree: "GroupTree | None", weight: int, total: int) -> int:
    """Return what a task of ``weight`` counts for a CPU that has tasks of the first session only.

    Args:
        tree: what the CPU knows of groups, which does not stand.
        total: what all tasks of the CPU weigh.

    Source: kernel/sched/fair.c:task_h_load().
    """
    if tree is None or tree.base is None or not total:
        return weight
    return max(1, weight * calc_group_shares(tree.base, total) // total)


def cgroup_limits(spec: "MachineSpec") -> dict[int, int]:
    """Return by number which groups of the configuration have a limit: that is their first."""
    return {
        FIRST_CGROUP + place: 1
        for place, (quota_ns, _, _) in enumerate(spec.cgroup_max)
        if quota_ns >= 0
    }


class GroupTree:
    """The groups of one CPU.

    Args:
        flat: the queue that ``rq.of`` has.
        make_queue, make_entity: of the class.
        spec: the machine. If its first session is a group ``base`` stands for it.

    ``queued``: how many groups other than ``base`` are in the queue above them, those that stay as
    debtors included, or are throttled; at 0 there is nothing to divide. ``put_task``: the last one
    that was put. ``weights``: the shares of groups that are not as by default. ``custom_slices``:
    somebody has a slice of its own. ``was``: of CFS, the groups that led to the task that was put.
    ``floor``: of CFS, how far virtual time was in groups that are forgotten. ``limits``: numbers
    of limits (``kernel.sched.bandwidth``) by group; ``parked``: the tasks of throttled groups;
    ``look``: the timer that sees how much is left, ``look_ns``: when.
    """

    __slots__ = (
        "base",
        "custom_slices",
        "flat",
        "floor",
        "groups",
        "limit",
        "limits",
        "look",
        "look_ns",
        "make_entity",
        "make_queue",
        "parked",
        "put_task",
        "queued",
        "tick_ns",
        "top",
        "was",
        "weights",
    )

    def __init__(
        self,
        flat: Any,
        make_queue: Callable[[], Any],
        make_entity: Callable[[], Any],
        spec: "MachineSpec",
    ) -> None:
        self.flat = flat
        self.make_queue = make_queue
        self.make_entity = make_entity
        self.groups: dict[int, GroupTask] = {}
        self.limit = _KEPT
        self.queued = 0
        self.put_task: CpuTask | None = None
        self.weights = cgroup_weights(spec.cgroups)
        self.limits = cgroup_limits(spec)
        self.parked: OrderedDict[CpuTask, None] = OrderedDict()
        self.look = 0
        self.look_ns = 0
        self.tick_ns = NSEC_PER_SEC // spec.hz
        self.custom_slices = False
        self.floor = 0
        self.was: tuple[GroupTask, ...] = ()
        self.top: Any = flat
        self.base: GroupTask | None = None
        if autogroup_in(spec):
            self.top = make_queue()
            self.base = GroupTask((BASE_GROUP,), None, self.top, flat, make_entity())
            self.groups[BASE_GROUP] = self.base

    # -- who is where -------------------------------------------------------------------------

    def group_of(self, p: CpuTask) -> GroupTask | None:
        """Return what stands for the group of ``p``; None if ``p`` is to be in the top queue."""
        path = p.group
        if not path:
            return self.base
        group = self.groups.get(path[-1])
        return group if group is not None else self._add(path)

    def queue_of(self, p: CpuTask) -> Any:
        """Return the queue of the tasks in the group of ``p``."""
        group = self.group_of(p)
        return self.flat if group is None else group.my_q

    def _add(self, path: tuple[int, ...]) -> GroupTask:
        """Make what stands for a group, and for those above it if there is nothing yet."""
        if len(self.groups) >= self.limit:
            self._forget()
        parent: GroupTask | None = None
        for depth, gid in enumerate(path):
            group = self.groups.get(gid)
            if group is None:
                queue = self.top if parent is None else parent.my_q
                group = GroupTask(
                    path[: depth + 1], parent, queue, self.make_queue(), self.make_entity()
                )
                group.shares = self.weights.get(gid, NICE_0_LOAD)
                if gid in self.limits:
                    group.band = Bandwidth(self.limits[gid])
                if self.floor:
                    group.my_q.min_vruntime = self.floor  # sleepers of it may come from there
                self.groups[gid] = group
            parent = group
        if parent is None:
            raise AssertionError("the first session's group is made with the tree")
        return parent

    def _forget(self) -> None:
        """Drop the groups that have nothing here, nor below them."""
        needed = {BASE_GROUP}
        for group in self.groups.values():
            if group.h_nr or group.on_rq or group.band is not None:
                needed.update(group.path)
            else:
                self.floor = max(self.floor, getattr(group.my_q, "min_vruntime", 0))
        self.groups = {gid: group for gid, group in self.groups.items() if gid in needed}
        self.limit = max(_KEPT, 2 * len(self.groups))

    def leaf(self) -> CpuTask | None:
        """Return the task that is current all the way down from the top, or None."""
        p: CpuTask | None = self.top.curr
        while isinstance(p, GroupTask):
            p = p.my_q.curr
        return p

    def chain(self) -> list[GroupTask]:
        """Return the groups that are current, from the top down."""
        groups: list[GroupTask] = []
        p: CpuTask | None = self.top.curr
        while isinstance(p, GroupTask):
            groups.append(p)
            p = p.my_q.curr
        return groups

    def line_of(self, p: CpuTask) -> list[tuple[Any, CpuTask]]:
        """Return ``p`` and its groups with the queue of each, from the top down."""
        line: list[tuple[Any, CpuTask]] = [(self.queue_of(p), p)]
        group = self.group_of(p)
        while group is not None:
            line.append((group.queue, group))
            group = group.parent
        line.reverse()
        return line

    def common(self, p: CpuTask, curr: CpuTask) -> tuple[Any, CpuTask, CpuTask]:
        """Return the queue in which ``p`` or a group of it competes with ``curr``'s, and the two.

        Source: kernel/sched/fair.c:find_matching_se().
        """
        ours = self.line_of(curr)
        for depth, (queue, mine) in enumerate(self.line_of(p)):
            theirs = ours[depth][1]
            if mine is not theirs:
                return queue, mine, theirs
        raise AssertionError(f"{p!r} and {curr!r} compete nowhere")

    # -- what the kernel says -----------------------------------------------------------------

    def changed(self, key: int, data: tuple[int, ...]) -> GroupTask | None:
        """Take what the kernel says; return the group if its weight here may be another."""
        gid = data[0]
        group = self.groups.get(gid)
        if key == GROUP_WEIGHT:
            self.weights[gid] = data[1]
            if group is not None:
                group.shares = data[1]
        elif key == GROUP_OTHERS:
            if group is not None:
                group.others = data[1]
        elif key == GROUP_GONE:
            self.weights.pop(gid, None)
            if group is not None and not group.h_nr and not group.on_rq:
                del self.groups[gid]
            return None
        else:
            raise AssertionError(f"group {gid}: nothing to change has the number {key}")
        return group

    def check_counts(self, where: str, tasks: Sequence[CpuTask], found: list[str]) -> None:
        """Append to ``found`` which counts are not those of ``tasks``, the runnable ones."""
        queued = 0
        parked = [p for p in tasks if p.parked]
        tasks = [p for p in tasks if not p.parked]
        if self.parked.keys() != dict.fromkeys(parked).keys():
            found.append(f"{where}: the list of throttled tasks does not hold those of the queues")
        if self.flat.tasks.keys() != dict.fromkeys(tasks).keys():
            found.append(f"{where}: the list of tasks does not hold those of the queues")
        if self.flat.nr_running != len(tasks):
            found.append(f"{where}: {self.flat.nr_running} tasks are counted, {len(tasks)} found")
        for gid, group in self.groups.items():
            throttled = is_throttled(group)
            if throttled and group.on_rq:
                found.append(f"{where}: group {gid} is throttled and queued")
            queued += throttled or (group.on_rq and group is not self.base)
            own = sum(self._counts_in(p, group) for p in (*tasks, *parked))
            if group.h_nr != own:
                found.append(f"{where}: group {gid} counts {group.h_nr} tasks and has {own}")
            if group.se.weight > max(group.shares, NICE_0_LOAD):
                found.append(f"{where}: group {gid} weighs more than its shares")
        if self.queued != queued:
            found.append(f"{where}: {self.queued} groups are counted, {queued} are queued")

    def _counts_in(self, p: CpuTask, group: GroupTask) -> bool:
        """Tell whether ``p`` is in ``group``, and no group in between is throttled."""
        inner = self.group_of(p)
        while inner is not None and inner is not group:
            if is_throttled(inner):
                return False
            inner = inner.parent
        return inner is group

    # -- as data ------------------------------------------------------------------------------

    def pack(self) -> list[Any]:
        """Return the tree as plain data; ``flat`` is packed by who has the tree."""
        return [
            [
                [
                    list(group.path),
                    group.h_nr,
                    group.on_rq,
                    group.se.weight,
                    group.shares,
                    group.others,
                    group.sum_exec_ns,
                    group.exec_start_ns,
                    group.se.pack(),
                    None if group is self.base else group.my_q.pack(),
                    None if group.band is None else group.band.pack(),
                ]
                for group in self.groups.values()
            ],
            None if self.base is None else self.top.pack(),
            self.limit,
            self.queued,
            None if self.put_task is None else self.put_task.pid,
            list(self.weights.items()),
            self.custom_slices,
            self.floor,
            [group.gid for group in self.was],
            packed_parked(self),
        ]

    def unpack(self, data: Sequence[Any], tasks: Mapping[int, CpuTask]) -> dict[int, CpuTask]:
        """Take what ``pack`` returned; return ``tasks`` with the groups by their pid."""
        groups, top, self.limit, self.queued, put_task, weights, custom, floor, was, parked = data
        unpack_parked(self, parked, tasks)
        self.custom_slices = custom
        self.weights = dict(weights)
        everybody: dict[int, CpuTask] = dict(tasks)
        for path, *_ in groups:
            group = self.base if path[-1] == BASE_GROUP else self._add(tuple(path))
            if group is not None:
                everybody[group.pid] = group
        for path, h_nr, on_rq, weight, shares, others, sum_exec, exec_start, *rest in groups:
            entity, _, band = rest
            group = self.groups[path[-1]]
            group.band = Bandwidth.unpack(band)
            group.h_nr, group.on_rq, group.shares, group.others = h_nr, on_rq, shares, others
            group.sum_exec_ns, group.exec_start_ns = sum_exec, exec_start
            group.se.set_weight(weight)
            group.se.unpack(entity)
        for path, *_, queue, _ in groups:
            if queue is not None:
                self.groups[path[-1]].my_q.unpack(queue, everybody)
        if top is not None:
            self.top.unpack(top, everybody)
        self.put_task = None if put_task is None else everybody.get(put_task)
        self.floor = floor
        self.was = tuple(self.groups[gid] for gid in was)
        return everybody


def standing(flat: "FairRq") -> GroupTree:
    """Return the tree of a CPU that has tasks of several groups."""
    tree = flat.tree
    if tree is None:
        raise AssertionError("this CPU has tasks of one group only")
    return tree


def groups_of(flat: "FairRq") -> GroupTree:
    """Return what a CPU knows of groups, whether tasks of several are here or not."""
    tree = flat.groups
    if tree is None:
        raise AssertionError("this fair queue knows no groups")
    return tree
