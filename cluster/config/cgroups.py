"""The key ``cgroups:``: groups of tasks in the words of cgroup v2, what each weighs and may have.

Source: Documentation/admin-guide/cgroup-v2.rst (CPU), kernel/sched/core.c (cpu_weight_write_u64,
cpu_weight_nice_write_s64).
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, create_model

from cluster.config.cpu_max import Burst, CpuMax
from cluster.config.errors import got
from cluster.config.model import Model
from cluster.config.quantities import format_ns
from kernel.sched.sched_class import SchedClass
from kernel.sched.weights import NICE_0_LOAD, SCHED_PRIO_TO_WEIGHT
from kernel.smp.task_groups import DEFAULT_PERIOD_NS
from kernel.uapi.prio import MIN_NICE

if TYPE_CHECKING:
    from cluster.config.models import RunConfig

WEIGHT: Final = "cpu.weight"
WEIGHT_NICE: Final = "cpu.weight.nice"
MAX: Final = "cpu.max"
BURST: Final = "cpu.max.burst"
_WEIGHT_DEFAULT: Final = 100
CGROUP_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$"
CgroupPath = Annotated[str, Field(pattern=CGROUP_PATTERN, max_length=255)]

_KEYS: Final[dict[str, Any]] = {
    WEIGHT: (
        Annotated[
            int | None,
            Field(ge=1, le=10_000, description="Its part beside its siblings'; by default 100."),
        ],
        None,
    ),
    WEIGHT_NICE: (
        Annotated[
            int | None,
            Field(ge=-20, le=19, description="The same as a nice value; instead of cpu.weight."),
        ],
        None,
    ),
    MAX: (Annotated[tuple[int, int] | None, CpuMax()], None),
    BURST: (Annotated[int | None, Burst()], None),
}

if TYPE_CHECKING:
    Cgroup = Model
else:
    Cgroup = create_model(
        "Cgroup", __base__=Model, __doc__="A group of tasks that shares the CPUs.", **_KEYS
    )


def shares_of(group: Model) -> int:
    """Return the weight of a group in units of which a task of nice 0 has 1024.

    Source: kernel/sched/core.c:sched_weight_from_cgroup().
    """
    nice: int | None = getattr(group, WEIGHT_NICE)
    if nice is not None:
        return SCHED_PRIO_TO_WEIGHT[nice - MIN_NICE]
    weight: int | None = getattr(group, WEIGHT)
    if weight is None:
        return NICE_0_LOAD
    return (weight * NICE_0_LOAD + _WEIGHT_DEFAULT // 2) // _WEIGHT_DEFAULT


def limit_of(group: Model) -> tuple[int, int, int]:
    """Return what a group may have: quota (-1: no limit), period and burst in ns."""
    limit: tuple[int, int] | None = getattr(group, MAX)
    burst_ns: int | None = getattr(group, BURST)
    quota_ns, period_ns = limit or (-1, DEFAULT_PERIOD_NS)
    return quota_ns, period_ns, burst_ns or 0


def limits_of(groups: dict[str, Model]) -> tuple[tuple[int, int, int], ...]:
    """Return ``MachineSpec.cgroup_max``: nothing if no group has a limit."""
    limits = tuple(limit_of(groups[path]) for path in in_order(groups))
    return limits if any(quota_ns >= 0 for quota_ns, _, _ in limits) else ()


def in_order(groups: dict[str, Model]) -> list[str]:
    """Return the paths, those above before those below, else as they are written."""
    return sorted(groups, key=lambda path: path.count("/"))


def cgroup_conflicts(
    config: "RunConfig", fair: SchedClass, names: Collection[object]
) -> Iterator[tuple[tuple[str | int, ...], bool, str]]:
    """Yield what is wrong with groups: the path of the key, whether it is of the key, and what.

    Args:
        names: of all groups as they are written, those with a wrong value among them.
    """
    groups = config.cgroups
    if groups and not fair.takes_groups:
        yield ("cgroups",), True, f"the class {fair.name} has no groups of tasks"
    for path, group in groups.items():
        above = path.rpartition("/")[0]
        if above and above not in names:
            yield ("cgroups", path), True, f"there is no group {above} for it to be in"
        if getattr(group, WEIGHT) is not None and getattr(group, WEIGHT_NICE) is not None:
            what = f"says the same as {WEIGHT}: write one of the two"
            yield ("cgroups", path, WEIGHT_NICE), True, what
        quota_ns, _, burst_ns = limit_of(group)
        if quota_ns >= 0 and config.linux == "2.6.34":
            yield ("cgroups", path, MAX), True, "Linux 2.6.34 has no limits of groups (3.2 does)"
        if burst_ns and quota_ns < 0:
            yield ("cgroups", path, BURST), True, f"means nothing without a quota in {MAX}"
        elif burst_ns > quota_ns >= 0:
            what = f"must not be more than the quota of {MAX}, {format_ns(quota_ns)}"
            yield ("cgroups", path, BURST), False, what
    for index, workload in enumerate(config.workloads):
        name = workload.cgroup
        if name is None:
            continue
        where = ("workloads", index, "cgroup")
        if name not in names:
            known = f"there is {', '.join(groups)}" if groups else "there is none"
            yield where, False, f"names no group of cgroups ({known}) {got(name)}"
        elif any(other.startswith(f"{name}/") for other in groups):
            yield where, False, f"has groups in it: processes are in the innermost {got(name)}"
