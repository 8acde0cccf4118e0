"""Groups of tasks as the kernel knows them: which there are, and which process is in which.

``kernel.sched.task_group`` has what a CPU makes of them. A thread whose control group has one
(``kernel.cgroup``) is in that; else it is in the group of its process's session (autogroup): each
setsid() makes one. What the configuration starts is one session, as if it had
been typed at one terminal; the group of that is the base, which needs no mention.

Source: kernel/sched/autogroup.c, kernel/sched/core.c (sched_create_group, sched_move_task).
Deviation: autogroup_exit_task() does not move who dies to the root group first.
"""

from typing import TYPE_CHECKING, Final

from kernel.messages import eff_told, eff_tune_group
from kernel.sched.classes import autogroup_of
from kernel.sched.sched_class import FAIR_RANK
from kernel.sched.task_group import (
    BASE_GROUP,
    FIRST_CGROUP,
    GROUP_GONE,
    GROUP_WEIGHT,
    MAX_SHARES,
    MIN_SHARES,
)
from kernel.sched.weights import NICE_0_LOAD
from kernel.smp.affinity import on_a_cpu
from kernel.smp.group_load import watch_groups
from kernel.smp.h_load import HLoads
from kernel.task import SignalStruct, TaskStruct
from kernel.uapi.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.machine import MachineSpec

DEFAULT_PERIOD_NS: Final = 100_000_000  # default_cfs_period()
MIN_NS: Final = 1_000_000  # of quota and period: min_cfs_quota_period
MAX_PERIOD_NS: Final = NSEC_PER_SEC  # max_cfs_quota_period
MAX_RUNTIME_NS: Final = ((1 << 44) - 1) * 1000  # max_cfs_runtime: MAX_BW_USEC


class CfsBandwidth:
    """The limit of a group (``cfs_bandwidth``): ``kernel.smp.bandwidth``.

    ``serial``: number of the limit. ``runtime_ns``: what is left of the pool. ``waiting``: the CPUs
    that have throttled the group, in that order, with what each still needs; ``needed``: what it
    will get; ``since_ns``: since when. ``timer``, ``slack_timer``: serial numbers, 0 for none.
    ``throttled_ns``: of those that wait no more.
    """

    __slots__ = (
        "burst_ns",
        "burst_time_ns",
        "idle",
        "needed",
        "nr_burst",
        "nr_periods",
        "nr_throttled",
        "period_end_ns",
        "period_ns",
        "quota_ns",
        "runtime_ns",
        "serial",
        "since_ns",
        "slack_timer",
        "snap_ns",
        "throttled_ns",
        "timer",
        "waiting",
    )

    def __init__(
        self, quota_ns: int = -1, period_ns: int = DEFAULT_PERIOD_NS, burst_ns: int = 0
    ) -> None:
        self.quota_ns = quota_ns  # -1: no limit
        self.period_ns = period_ns
        self.burst_ns = burst_ns
        self.serial = 1 if quota_ns >= 0 else 0
        self.runtime_ns = self.snap_ns = max(quota_ns, 0)
        self.idle = False
        self.timer = 0
        self.slack_timer = 0
        self.period_end_ns = 0
        self.waiting: dict[int, int] = {}
        self.needed: dict[int, int] = {}
        self.since_ns: dict[int, int] = {}
        self.nr_periods = 0
        self.nr_throttled = 0
        self.throttled_ns = 0
        self.nr_burst = 0
        self.burst_time_ns = 0


class TaskGroup:
    """One group (``task_group``).

    Args:
        gid: its number, for ever.
        parent: the group above it, or None.

    ``session``: the number of the autogroup that it is, 0 if it is none; ``nice``: that of the
    autogroup. ``processes``: how many there are in it, zombies included. ``band``: if it has,
    or had, a limit.
    """

    __slots__ = (
        "band",
        "gid",
        "loads",
        "nice",
        "parent",
        "path",
        "processes",
        "session",
        "shares",
        "told",
    )

    def __init__(self, gid: int, parent: "TaskGroup | None", session: int = 0) -> None:
        self.gid = gid
        self.parent = parent
        self.path: tuple[int, ...] = (gid,) if parent is None else (*parent.path, gid)
        self.session = session
        self.nice = 0
        self.shares = NICE_0_LOAD
        self.processes = 0
        self.loads: dict[int, int] = {}  # by CPU, as kernel.smp.group_load follows it
        self.told: dict[int, int] = {}  # what CPUs were told of the load on others
        self.band: CfsBandwidth | None = None


class GroupTable:
    """All groups of a machine.

    ``autogroup``: sessions are groups; ``base``: the one of the first. ``groups``: all others by
    number, ``cgroups``: those of the configuration by path. ``throttled``: number and CPU of groups
    that are throttled there. ``next_nice_ns``: before that, who is
    not privileged may not renice a session.
    """

    __slots__ = (
        "autogroup",
        "base",
        "cgroups",
        "groups",
        "h_loads",
        "looking",
        "next_gid",
        "next_nice_ns",
        "sessions",
        "throttled",
    )

    def __init__(self, spec: "MachineSpec") -> None:
        self.autogroup = autogroup_of(spec)
        self.base = TaskGroup(BASE_GROUP, None, 1)
        self.groups: dict[int, TaskGroup] = {}
        self.cgroups: dict[str, TaskGroup] = {}
        self.next_gid = FIRST_CGROUP
        for path, shares in spec.cgroups:
            group = self.new(self.cgroups.get(path.rpartition("/")[0]))
            group.shares = shares
            self.cgroups[path] = group
        for group, (quota_ns, period_ns, burst_ns) in zip(self.cgroups.values(), spec.cgroup_max):
            if (quota_ns, burst_ns) != (-1, 0):
                group.band = CfsBandwidth(quota_ns, period_ns, burst_ns)
        self.throttled: dict[tuple[int, int], None] = {}
        self.sessions = 1
        self.next_nice_ns = 0
        self.h_loads = HLoads()
        self.looking = False  # at who is runnable where, at the next tick: kernel.smp.group_load

    def new(self, parent: TaskGroup | None, session: int = 0) -> TaskGroup:
        """Make a group. Source: kernel/sched/core.c:sched_create_group()."""
        group = TaskGroup(self.next_gid, parent, session)
        self.groups[group.gid] = group
        self.next_gid += 1
        return group

    def all(self) -> list[TaskGroup]:
        """Return all groups that have a weight."""
        others = list(self.groups.values())
        return [self.base, *others] if self.autogroup else others

    def path_of(self, task: TaskStruct) -> tuple[int, ...]:
        """Return the numbers of the groups that a thread is in, from the top down.

        Its session counts only if it is in no other group.

        Source: kernel/sched/autogroup.h:autogroup_task_group(), task_wants_autogroup().
        """
        group: TaskGroup | None = None if task.cgroup is None else task.cgroup.group
        if group is None:
            group = task.signal.autogroup
        return () if group is None else group.path


def sched_move_task(k: "Kernel", task: TaskStruct) -> None:
    """Tell the CPU of a thread which groups it is in by now.

    Source: kernel/sched/core.c:sched_move_task().
    """
    if on_a_cpu(task):
        k.send(task.cpu, eff_tune_group(k.stamp(task), task.pid, k.groups.path_of(task)))


def sched_autogroup_create_attach(k: "Kernel", signal: SignalStruct) -> None:
    """A process leads a new session, which is to be a group of its own.

    Source: kernel/sched/autogroup.c:sched_autogroup_create_attach().
    """
    table = k.groups
    if not table.autogroup:
        return
    table.sessions += 1
    sched_group_exit(k, signal)
    group = table.new(None, table.sessions)
    group.processes = 1
    signal.autogroup = group
    for thread in signal.threads:
        sched_move_task(k, thread)
    watch_groups(k)


def sched_group_fork(signal: SignalStruct, parent: SignalStruct) -> None:
    """A new process is in its parent's session. Source: autogroup.c:sched_autogroup_fork()."""
    group: TaskGroup | None = parent.autogroup
    if group is not None:
        signal.autogroup = group
        group.processes += 1


def sched_group_exit(k: "Kernel", signal: SignalStruct) -> None:
    """A process leaves its group for ever, which ends with its last one.

    Source: kernel/sched/autogroup.c:sched_autogroup_exit(), autogroup_kref_put().
    """
    group: TaskGroup | None = signal.autogroup
    if group is None:
        return
    signal.autogroup = None
    group.processes -= 1
    if not group.processes:
        sched_destroy_group(k, group)


def sched_destroy_group(k: "Kernel", group: TaskGroup) -> None:
    """A group is gone. Source: kernel/sched/core.c:sched_destroy_group().

    CPUs forget of themselves the groups they have no more to say of; those whose weight they were
    told they must be told of.
    """
    del k.groups.groups[group.gid]
    if group.shares != NICE_0_LOAD:
        _tell_all(k, GROUP_GONE, (group.gid,))


def sched_group_set_shares(k: "Kernel", group: TaskGroup, shares: int) -> None:
    """Give a group another weight. Source: kernel/sched/fair.c:sched_group_set_shares()."""
    shares = max(MIN_SHARES, min(shares, MAX_SHARES))
    if shares != group.shares:
        group.shares = shares
        _tell_all(k, GROUP_WEIGHT, (group.gid, shares))


def _tell_all(k: "Kernel", key: int, data: tuple[int, ...]) -> None:
    for cpu in range(k.spec.cpus):
        k.send(cpu, eff_told(k.now_ns, FAIR_RANK, key, data))
