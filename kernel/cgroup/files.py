"""The files of control groups: what they say, and what is written to them.

Source: kernel/cgroup/cgroup.c (cgroup_base_files), kernel/sched/core.c (cpu_files).
Deviation: no cgroup.pressure, *.pressure and cpu.uclamp.*; groups are not frozen: writing 1 to
cgroup.freeze is refused. CPU time is that of the threads' last entries into the kernel.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from kernel.cgroup.access import check_attach_permissions, notify
from kernel.cgroup.cgroup import (
    NO_LIMIT,
    Cgroup,
    attach_task,
    cgroup_of,
    descendants,
    enable_threaded,
    has_cpu,
    is_populated,
    is_thread_root,
    is_threaded,
    is_valid_domain,
    set_cpu_below,
)
from kernel.cgroup.members import (
    cpu_stat,
    cpu_times_us,
    killed_by,
    may_be_moved,
    processes_of,
    threads_of,
)
from kernel.errors import GuestFault, KernelError
from kernel.points import Path
from kernel.proc.system import cpu_times
from kernel.process.pid import (
    PIDTYPE_TGID,
    find_task_by_pid_ns,
    pid_vnr,
    task_active_pid_ns,
    task_pid_vnr,
)
from kernel.sched.weights import NICE_0_LOAD, SCHED_PRIO_TO_WEIGHT, WEIGHT_IDLEPRIO
from kernel.signal.send import do_send_sig_info
from kernel.smp.bandwidth import cpu_burst_show, cpu_burst_write, cpu_max_show, cpu_max_write
from kernel.smp.task_groups import TaskGroup, sched_group_set_shares
from kernel.uapi.errno_ import EINVAL, EOPNOTSUPP, ERANGE, ESRCH
from kernel.uapi.failure import refused
from kernel.uapi.prio import MAX_NICE, MIN_NICE
from kernel.uapi.signals import SI_KERNEL, SIGKILL

if TYPE_CHECKING:
    from kernel.cred.creds import Cred
    from kernel.kernel import Kernel

_WEIGHT_MIN: Final = 1
_WEIGHT_DFL: Final = 100
_WEIGHT_MAX: Final = 10_000
_INT_MAX: Final = (1 << 31) - 1
_U64: Final = 1 << 64
_S64: Final = 1 << 63
_DIGITS: Final = "0123456789abcdef"
# controllers of other kernels
_OTHERS: Final[tuple[str, ...]] = (
    "cpuset",
    "io",
    "memory",
    "hugetlb",
    "pids",
    "rdma",
    "misc",
    "perf_event",
)

Show = Callable[["Kernel", Cgroup], str]
Write = Callable[["Kernel", Cgroup, bytes, "Cred"], Any]


class Cftype:
    """One file of each group (``struct cftype``).

    Args:
        show: returns the text; None: it cannot be read (EINVAL).
        write: takes what is written, and whose credentials count; None: it cannot be (EINVAL). A
            path, or not.
        on_root: the root has it, too.
        cpu: a group has it while the cpu controller is let through to it.
        events: who polls it hears of changes of populated.
    """

    __slots__ = ("cpu", "events", "mode", "name", "on_root", "show", "write")

    def __init__(
        self,
        name: str,
        show: Show | None,
        write: Write | None = None,
        *,
        on_root: bool = True,
        cpu: bool = False,
        events: bool = False,
    ) -> None:
        self.name = name
        self.show = show
        self.write = write
        self.mode = (0o444 if show is not None else 0) | (0o200 if write is not None else 0)
        self.on_root = on_root
        self.cpu = cpu
        self.events = events

    def is_of(self, cgroup: Cgroup) -> bool:
        """Tell whether a group has this file."""
        if cgroup.parent is None:
            return self.on_root
        return not self.cpu or has_cpu(cgroup)


# -- numbers -------------------------------------------------------------------------------------


def kstrtoll(data: bytes, low: int, high: int) -> int:
    """Return the number that ``data`` is, decimal, 0x… or 0…, perhaps with a newline behind it.

    Raises:
        KernelError: EINVAL, it is none; ERANGE, it is not in ``low`` … ``high``.

    Source: lib/kstrtox.c:_kstrtoull(), kstrtoll().
    """
    text = data.decode("latin-1").removesuffix("\n")
    negative = low < 0 and text[:1] == "-"
    digits = (text[1:] if text[:1] == "+" or negative else text).lower()
    base = 10
    if digits[:2] == "0x":
        base, digits = 16, digits[2:]
    elif digits[:1] == "0":
        base = 8
    if not digits or any(digit not in _DIGITS[:base] for digit in digits):
        raise KernelError(EINVAL)
    value = -int(digits, base) if negative else int(digits, base)
    if not low <= value <= high:
        raise KernelError(ERANGE)
    return value


def _stripped(data: bytes) -> bytes:
    """Source: lib/string_helpers.c:strim()."""
    return data.strip(b" \t\n\v\f\r\xa0")


# -- who is in it --------------------------------------------------------------------------------


def _procs_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/cgroup.c:cgroup_procs_start(), cgroup_procs_show()."""
    if is_threaded(cgroup):
        raise KernelError(EOPNOTSUPP)
    return "".join(f"{pid_vnr(k, task.thread_pid)}\n" for task in processes_of(k, cgroup))


def _threads_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/cgroup.c:cgroup_threads_start()."""
    return "".join(f"{task_pid_vnr(k, task)}\n" for task in threads_of(k, cgroup))


def _procs_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> Path[None]:
    yield from _attach(k, cgroup, data, cred, True)


def _threads_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> Path[None]:
    yield from _attach(k, cgroup, data, cred, False)


def _attach(
    k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred", threadgroup: bool
) -> Path[None]:
    """Move the thread or process whose number was written; 0 is the caller.

    Raises:
        KernelError: EINVAL, no number, or a kernel thread that must stay; ESRCH; EACCES; as
            ``check_attach``.

    Source: kernel/cgroup/cgroup.c:__cgroup_procs_write(), cgroup_procs_write_start().
    """
    try:
        number = kstrtoll(_stripped(data), -_INT_MAX, _INT_MAX)
    except KernelError:
        number = -1
    if number < 0:
        raise KernelError(EINVAL)
    task = k.current
    if number:
        found = find_task_by_pid_ns(number, task_active_pid_ns(k, task))
        if found is None:
            raise KernelError(ESRCH)
        task = found
    if threadgroup:
        task = task.group_leader
    if not may_be_moved(k, task):
        raise KernelError(EINVAL)
    source = cgroup_of(k, task)
    check_attach_permissions(source, cgroup, cred, threadgroup)
    yield from notify(k, attach_task(k, cgroup, task, threadgroup))


# -- what it is ----------------------------------------------------------------------------------


def _type_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/cgroup.c:cgroup_type_show()."""
    if is_threaded(cgroup):
        return "threaded\n"
    if not is_valid_domain(cgroup):
        return "domain invalid\n"
    return "domain threaded\n" if is_thread_root(cgroup) else "domain\n"


def _type_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    """Source: kernel/cgroup/cgroup.c:cgroup_type_write()."""
    if _stripped(data) != b"threaded":
        raise KernelError(EINVAL)
    enable_threaded(cgroup)


def _controllers_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/cgroup.c:cgroup_controllers_show(), cgroup_print_ss_mask()."""
    return "cpu\n" if has_cpu(cgroup) else ""


def _subtree_control_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/cgroup.c:cgroup_subtree_control_show()."""
    return "cpu\n" if cgroup.cpu_below else ""


def _subtree_control_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> object:
    """Let controllers through, or no more: the last that is said of one counts.

    Raises:
        KernelError: EINVAL, no such controller; as ``set_cpu_below``.
        GuestFault: REFUSED for controllers that Linux has and smplab has not.

    Source: kernel/cgroup/cgroup.c:cgroup_subtree_control_write().
    """
    enable: bool | None = None
    for word in _stripped(data).decode("latin-1").split(" "):
        if not word:
            continue
        name = word[1:]
        if name in _OTHERS and word[0] == "-":
            continue
        if name in _OTHERS and word[0] == "+":
            raise GuestFault(refused(f"of the controllers of cgroups cpu is emulated, not {name}"))
        if name != "cpu" or word[0] not in "+-":
            raise KernelError(EINVAL)
        enable = word[0] == "+"
    if enable is None:
        return None
    return set_cpu_below(k, cgroup, enable)


def _events_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/cgroup.c:cgroup_events_show()."""
    return f"populated {int(is_populated(cgroup))}\nfrozen 0\n"


def _stat_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/cgroup.c:cgroup_stat_show()."""
    below = list(descendants(cgroup))
    has_css = cgroup.parent is None or cgroup.css is not None
    nr_css = sum(each.css is not None for each in below[1:]) + 1 if has_css else 0
    return (
        f"nr_descendants {len(below) - 1}\nnr_subsys_cpu {nr_css}\n"
        "nr_dying_descendants 0\nnr_dying_subsys_cpu 0\n"
    )


def _limit_show(limit: int) -> str:
    return "max\n" if limit == NO_LIMIT else f"{limit}\n"


def _limit(data: bytes) -> int:
    """Source: kernel/cgroup/cgroup.c:cgroup_max_depth_write()."""
    text = _stripped(data)
    if text == b"max":
        return NO_LIMIT
    limit = kstrtoll(text, -_S64, _S64 - 1)
    if not 0 <= limit < NO_LIMIT:
        raise KernelError(ERANGE)
    return limit


def _max_depth_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    cgroup.max_depth = _limit(data)


def _max_descendants_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    cgroup.max_descendants = _limit(data)


def _freeze_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    """Source: kernel/cgroup/cgroup.c:cgroup_freeze_write()."""
    value = kstrtoll(_stripped(data), -_INT_MAX - 1, _INT_MAX)
    if value not in (0, 1):
        raise KernelError(ERANGE)
    if value:
        raise GuestFault(refused("groups cannot be frozen: cgroup.freeze takes 0 only"))


def _kill_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> Path[None]:
    """Kill all processes in a group and below it.

    Raises:
        KernelError: EINVAL, no number; ERANGE, not 1; EOPNOTSUPP, it is threaded.

    Source: kernel/cgroup/cgroup.c:cgroup_kill_write(), __cgroup_kill().
    """
    if kstrtoll(_stripped(data), -_INT_MAX - 1, _INT_MAX) != 1:
        raise KernelError(ERANGE)
    if is_threaded(cgroup):
        raise KernelError(EOPNOTSUPP)
    for leader in killed_by(k, cgroup):
        yield from do_send_sig_info(k, SIGKILL, (SIGKILL, SI_KERNEL, 0, 0, 0), leader, PIDTYPE_TGID)


# -- the cpu controller --------------------------------------------------------------------------


def _group(cgroup: Cgroup) -> TaskGroup:
    """Return the task group of a group that has files of the cpu controller."""
    if cgroup.css is None:
        raise AssertionError(f"{cgroup!r} has no task group")
    return cgroup.css


def _is_idle(group: TaskGroup) -> bool:
    return group.shares == WEIGHT_IDLEPRIO  # nothing else weighs as little


def _weight_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/sched/core.c:cpu_weight_read_u64(), sched.h:sched_weight_to_cgroup()."""
    weight = (_group(cgroup).shares * _WEIGHT_DFL + NICE_0_LOAD // 2) // NICE_0_LOAD
    return f"{max(_WEIGHT_MIN, min(weight, _WEIGHT_MAX))}\n"


def _set_shares(k: "Kernel", cgroup: Cgroup, shares: int) -> None:
    """Source: kernel/sched/fair.c:sched_group_set_shares()."""
    group = _group(cgroup)
    if _is_idle(group):
        raise KernelError(EINVAL)
    sched_group_set_shares(k, group, shares)


def _weight_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    """Source: kernel/sched/core.c:cpu_weight_write_u64()."""
    weight = kstrtoll(data, 0, _U64 - 1)
    if not _WEIGHT_MIN <= weight <= _WEIGHT_MAX:
        raise KernelError(ERANGE)
    _set_shares(k, cgroup, (weight * NICE_0_LOAD + _WEIGHT_DFL // 2) // _WEIGHT_DFL)


def _weight_nice_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/sched/core.c:cpu_weight_nice_read_s64()."""
    shares = _group(cgroup).shares
    nearest = 0
    for place, weight in enumerate(SCHED_PRIO_TO_WEIGHT):
        if place and abs(weight - shares) >= abs(SCHED_PRIO_TO_WEIGHT[nearest] - shares):
            break
        nearest = place
    return f"{nearest + MIN_NICE}\n"


def _weight_nice_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    """Source: kernel/sched/core.c:cpu_weight_nice_write_s64()."""
    nice = kstrtoll(data, -_S64, _S64 - 1)
    if not MIN_NICE <= nice <= MAX_NICE:
        raise KernelError(ERANGE)
    _set_shares(k, cgroup, SCHED_PRIO_TO_WEIGHT[nice - MIN_NICE])


def _idle_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/sched/core.c:cpu_idle_read_s64()."""
    return f"{int(_is_idle(_group(cgroup)))}\n"


def _idle_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    """Source: kernel/sched/fair.c:sched_group_set_idle()."""
    idle = kstrtoll(data, -_S64, _S64 - 1)
    if idle not in (0, 1):
        raise KernelError(EINVAL)
    group = _group(cgroup)
    if bool(idle) != _is_idle(group):
        sched_group_set_shares(k, group, WEIGHT_IDLEPRIO if idle else NICE_0_LOAD)


def _max_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    """Source: kernel/sched/core.c:cpu_max_write()."""
    cpu_max_write(k, _group(cgroup), data.decode("latin-1"))


def _burst_write(k: "Kernel", cgroup: Cgroup, data: bytes, cred: "Cred") -> None:
    """Source: kernel/sched/core.c:cpu_burst_write_u64()."""
    cpu_burst_write(k, _group(cgroup), kstrtoll(data, 0, _U64 - 1))


def _cpu_stat_show(k: "Kernel", cgroup: Cgroup) -> str:
    """Source: kernel/cgroup/rstat.c:cgroup_base_stat_cputime_show(), cpu_cfs_stat_show()."""
    if cgroup.parent is None:
        times = [cpu_times(k, cpu) for cpu in range(k.spec.cpus)]
        user_ns = sum(each[0] for each in times)
        system_ns = sum(each[1] + each[3] + each[4] for each in times)
        usage_ns = user_ns + system_ns + sum(each[5] for each in times)
        stat = cpu_times_us(usage_ns, user_ns, system_ns)
    else:
        stat = cpu_stat(cgroup)
    return "".join(f"{name} {value}\n" for name, value in stat.items())


CFTYPES: Final = (
    Cftype("cgroup.type", _type_show, _type_write, on_root=False),
    Cftype("cgroup.procs", _procs_show, _procs_write),
    Cftype("cgroup.threads", _threads_show, _threads_write),
    Cftype("cgroup.controllers", _controllers_show),
    Cftype("cgroup.subtree_control", _subtree_control_show, _subtree_control_write),
    Cftype("cgroup.events", _events_show, on_root=False, events=True),
    Cftype(
        "cgroup.max.descendants",
        lambda k, cgroup: _limit_show(cgroup.max_descendants),
        _max_descendants_write,
    ),
    Cftype("cgroup.max.depth", lambda k, cgroup: _limit_show(cgroup.max_depth), _max_depth_write),
    Cftype("cgroup.stat", _stat_show),
    Cftype("cgroup.freeze", lambda k, cgroup: "0\n", _freeze_write, on_root=False),
    Cftype("cgroup.kill", None, _kill_write, on_root=False),
    Cftype("cpu.stat", _cpu_stat_show),
    Cftype("cpu.weight", _weight_show, _weight_write, on_root=False, cpu=True),
    Cftype("cpu.weight.nice", _weight_nice_show, _weight_nice_write, on_root=False, cpu=True),
    Cftype("cpu.idle", _idle_show, _idle_write, on_root=False, cpu=True),
    Cftype(
        "cpu.max",
        lambda k, cgroup: cpu_max_show(_group(cgroup)),
        _max_write,
        on_root=False,
        cpu=True,
    ),
    Cftype(
        "cpu.max.burst",
        lambda k, cgroup: cpu_burst_show(_group(cgroup)),
        _burst_write,
        on_root=False,
        cpu=True,
    ),
)
