"""What /proc says of the scheduler: schedstat, PID/sched, PID/schedstat, pressure.

Source: kernel/sched/stats.c, kernel/sched/debug.c, kernel/sched/psi.c, fs/proc/base.c of 6.12; of
2.6.34 kernel/sched_stats.h, kernel/sched_debug.c.
Deviation: as with kernel.sched_schedstats = 0, the default: what only that counts reads 0 in
schedstat, domains' lines included, and is not in PID/sched. Times and counts of a task are those of
its last entry into the kernel, and count for the CPU of that entry. What stays with a CPU and its
queue reads 0 (se.vruntime; the sums of PELT and, without a configured topology, its averages), and
there is no NUMA balancing.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.proc.array import bitmap_string
from kernel.process.attrs import attrs_of
from kernel.sched.weights import weight_of
from kernel.smp.averages import settle_task
from kernel.smp.psi import NO_STALL
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EINVAL, EOPNOTSUPP
from kernel.uapi.policy import FAIR_POLICIES, SCHED_DEADLINE
from kernel.uapi.prio import MAX_RT_PRIO

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_JIFFIES_BEFORE_BOOT: Final = 300  # seconds: INITIAL_JIFFIES
_IDLE_TYPES: Final = 3
_OF_A_TYPE: Final = 8
_OF_A_DOMAIN: Final = 12


# -- the machine ---------------------------------------------------------------------------------


def show_schedstat(k: "Kernel") -> str:
    """Return /proc/schedstat: a line for each CPU, and one for each of its domains.

    Of a CPU: calls of sched_yield, 0, calls of schedule, of them to idle, wake-ups, of them on the
    waker's CPU; ns that tasks ran, ns that they waited, and how often one got the CPU.

    Source: kernel/sched/stats.c:show_schedstat(); 2.6.34 kernel/sched_stats.h.
    """
    cpus = k.spec.cpus
    jiffies = (1 << 32) - _JIFFIES_BEFORE_BOOT * k.spec.hz + k.now_ns // k.tick_ns
    lines = [f"version {k.tasks.profile.schedstat_version}\ntimestamp {jiffies}\n"]
    zeros = " 0" * (_IDLE_TYPES * _OF_A_TYPE + _OF_A_DOMAIN)
    for cpu in range(cpus):
        ran_ns = k.cpu_user_ns[cpu] + k.cpu_system_ns[cpu]
        lines.append(
            f"cpu{cpu} 0 0 0 0 0 0 {ran_ns} {k.cpu_run_delay_ns[cpu]} {k.cpu_timeslices[cpu]}\n"
        )
        number = 0
        for level in k.topology.levels:
            span = level.spans[cpu]
            if span & (span - 1):  # one CPU is no domain
                lines.append(f"domain{number} {bitmap_string(span, cpus)}{zeros}\n")
                number += 1
    return "".join(lines)


def psi_no_stall(k: "Kernel") -> str:
    """Return /proc/pressure/memory, or io: nothing here waits for either."""
    return NO_STALL.format("some") + NO_STALL.format("full")


def psi_write(k: "Kernel", data: bytes) -> int:
    """Refuse a trigger.

    Raises:
        KernelError: EINVAL, it is none; EOPNOTSUPP, there are no triggers here.

    Source: kernel/sched/psi.c:psi_trigger_create().
    """
    words = bytes(data).rstrip(b"\n\0").split(b" ")
    if len(words) != 3 or words[0] not in (b"some", b"full") or not b"".join(words[1:]).isdigit():
        raise KernelError(EINVAL)
    k.note_not_emulated("triggers of /proc/pressure")
    raise KernelError(EOPNOTSUPP)


# -- tasks ---------------------------------------------------------------------------------------


def proc_pid_schedstat(k: "Kernel", task: TaskStruct) -> str:
    """Return ns that the thread ran and waited for a CPU, and how often it got one.

    Source: fs/proc/base.c:proc_pid_schedstat().
    """
    return f"{task.utime_ns + task.stime_ns} {task.run_delay_ns} {task.timeslices}\n"


def _row(name: str, value: int) -> str:
    return f"{name:<45}:{value:21d}\n"


def _time(name: str, ns: int, width: int = 45) -> str:
    """Source: kernel/sched/debug.c:nsec_high(), nsec_low()."""
    return f"{name:<{width}}:{ns // 1_000_000:14d}.{ns % 1_000_000:06d}\n"


def _head(k: "Kernel", task: TaskStruct) -> str:
    number = task.thread_pid.nr
    threads = 0 if task.signal is None else task.signal.nr_threads
    return f"{task.comm} ({number}, #threads: {threads})\n"


def proc_sched_show_task(k: "Kernel", task: TaskStruct) -> str:
    """Return /proc/PID/sched. Source: kernel/sched/debug.c:proc_sched_show_task()."""
    attrs = attrs_of(task)
    exec_start_ns = k.now_ns if task is k.current else task.msg_ns
    ran_ns = task.utime_ns + task.stime_ns
    switches = task.nvcsw + task.nivcsw
    weight = weight_of(task.nice, attrs.policy)
    prio = k.sched.of(task).task_prio(task, attrs) + MAX_RT_PRIO
    if not k.tasks.profile.pressure:
        return _sched_2_6_34(k, task, (exec_start_ns, ran_ns, weight, prio))
    load = runnable = util = 0
    if k.averages is not None:
        avg = settle_task(k, task)
        load, runnable, util = avg.load, avg.runnable, avg.util
    parts = [
        _head(k, task),
        "-" * 67 + "\n",
        _time("se.exec_start", exec_start_ns),
        _time("se.vruntime", 0),
        _time("se.sum_exec_runtime", ran_ns),
        _row("se.nr_migrations", task.nr_migrations),
        _row("nr_switches", switches),
        _row("nr_voluntary_switches", task.nvcsw),
        _row("nr_involuntary_switches", task.nivcsw),
        _row("se.load.weight", weight << 10),
        *(_row(f"se.avg.{name}_sum", 0) for name in ("load", "runnable", "util")),
        _row("se.avg.load_avg", load),
        _row("se.avg.runnable_avg", runnable),
        _row("se.avg.util_avg", util),
        _row("se.avg.last_update_time", exec_start_ns >> 10 << 10),
        _row("se.avg.util_est", 0),
        _row("policy", attrs.policy),
        _row("prio", prio),
    ]
    own = k.sched.of(task).get_params(k, attrs)
    if attrs.policy == SCHED_DEADLINE:
        parts += [_row("dl.runtime", own[0]), _row("dl.deadline", own[1])]
    elif attrs.policy in FAIR_POLICIES:
        parts.append(_row("se.slice", own[0]))
    parts.append(_row("clock-delta", 0))
    if task.mm is not None:
        parts.append(_row("mm->numa_scan_seq", 0))
    parts += [
        _row("numa_pages_migrated", 0),
        _row("numa_preferred_nid", -1),
        _row("total_numa_faults", 0),
    ]
    nodes = sorted({place[1] for place in k.spec.places}) or [0]
    node = k.spec.places[task.cpu][1] if k.spec.places else 0
    parts.append(f"current_node={node}, numa_group_id=0\n")
    parts += [
        f"numa_faults node={each} task_private=0 task_shared=0 group_private=0 group_shared=0\n"
        for each in nodes
    ]
    return "".join(parts)


def _sched_2_6_34(k: "Kernel", task: TaskStruct, own: tuple[int, int, int, int]) -> str:
    """The same of 2.6.34, built without CONFIG_SCHEDSTATS.

    Source: kernel/sched_debug.c:proc_sched_show_task() of 2.6.34.
    """
    exec_start_ns, ran_ns, weight, prio = own
    width = 35
    rows = (
        ("nr_switches", task.nvcsw + task.nivcsw),
        ("nr_voluntary_switches", task.nvcsw),
        ("nr_involuntary_switches", task.nivcsw),
        ("se.load.weight", weight),
        ("policy", attrs_of(task).policy),
        ("prio", prio),
        ("clock-delta", 0),
    )
    return "".join(
        (
            _head(k, task),
            "-" * 57 + "\n",
            _time("se.exec_start", exec_start_ns, width),
            _time("se.vruntime", 0, width),
            _time("se.sum_exec_runtime", ran_ns, width),
            _time("se.avg_overlap", 0, width),
            _time("se.avg_wakeup", 0, width),
            *(f"{name:<{width}}:{value:21d}\n" for name, value in rows),
        )
    )


def sched_write(k: "Kernel", task: TaskStruct, data: bytes) -> int:
    """Reset the statistics that kernel.sched_schedstats counts, none.

    Source: fs/proc/base.c:sched_write(), kernel/sched/debug.c:proc_sched_set_task().
    """
    return len(data)
