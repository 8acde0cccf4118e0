"""The summary of a run: everything counted, grouped, as plain JSON data.

Outside ``wall`` there are only ints and strings, and only what the emulated machine did: the same
for every engine, host and packing of CPUs. ``wall`` has the host's times and what follows from
them.

Which counter stands in which group is one table (``GROUPS``). A counter that is added to
``kernel.stats`` and not to the table appears under ``other``, so none is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.machine import MachineSpec
from kernel.process import fork_race
from kernel.sched.classes import fair_class_by_name
from kernel.sched.fork_order import order_of
from kernel.stats import CpuStats, Histogram, KernelStats, RatedStats
from kernel.uapi.clock import NSEC_PER_SEC

BY_QUANTUM: Final = ("barrier", "redblack")  # schemes under which CPUs are up to a quantum apart

FORMAT: Final = 1

# group -> {name in the summary: counter of KernelStats}
GROUPS: Final[dict[str, dict[str, str]]] = {
    "lifecycles": {
        "completed": "releases",
        "forks": "forks",
        "vforks": "vforks",
        "threads": "clones",
        "kthreads": "kthreads",
        "fork_failures": "fork_failures",
        "execs": "execs",
        "exec_failures": "exec_failures",
        "exits": "exits",
        "waits": "waits",
        "autoreaped": "autoreaped",
        "reparented": "reparented",
    },
    "memory": {
        "cow_copied": "cow_copied",
        "cow_reused": "cow_reused",
        "cow_saved": "cow_saved",
        "ptes_copied": "ptes_copied",
        "pages_copied_by_fork": "pages_copied_by_fork",
        "faults_zero": "faults_zero",
        "faults_anon": "faults_anon",
        "faults_file": "faults_file",
        "faults_shared": "faults_shared",
        "segfaults": "segfaults",
        "oom_kills": "oom_kills",
    },
    "peaks": {"tasks": "peak_tasks", "zombies": "peak_zombies", "frames": "peak_frames"},
    "wakeups": {"woken": "wakeups", "failed": "wakeups_failed", "new": "wakeups_new"},
    "signals": {
        "generated": "signals",
        "ignored": "signals_ignored",
        "delivered": "signals_delivered",
    },
}
# the same for the sum over all CPUs
CPU_GROUPS: Final[dict[str, dict[str, str]]] = {
    "switches": {
        "total": "nr_switches",
        "voluntary": "nr_voluntary",
        "involuntary": "nr_involuntary",
    },
    "cpu_time_ns": {"user": "user_ns", "system": "system_ns", "idle": "idle_ns"},
    "latency_ns": {"fork_to_first_run": "fork_to_run", "runqueue_wait": "rq_wait"},
    "causality": {"violations": "violations", "lateness_ns": "lateness"},
}

# host time by what it was spent on, in the order in which the table shows it
WALL_SPLIT: Final = (
    ("guest_ns", "guest programs"),
    ("kernel_ns", "kernel"),
    ("cpu_ns", "CPU step"),
    ("encode_ns", "encoding"),
    ("output_ns", "writing outputs"),
    ("ray_wait_ns", "waiting for Ray"),
    ("outside_ns", "start and end"),
)


def _grouped(
    plain: Mapping[str, Any], groups: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the groups filled from ``plain``, and what no group asks for."""
    left = dict(plain)
    filled = {
        group: {name: left.pop(counter) for name, counter in names.items()}
        for group, names in groups.items()
    }
    return filled, left


def _per_second(count: int, time_ns: int) -> int:
    return count * NSEC_PER_SEC // time_ns if time_ns > 0 else 0


def _machine(spec: MachineSpec) -> dict[str, Any]:
    names = (
        *("cpus", "seed", "linux", "arch", "granularity", "fair", "child_runs_first", "hz"),
        *("memory_bytes", "page_size", "pid_max"),
    )
    named = {name: getattr(spec, name) for name in names}
    fair = fair_class_by_name(spec.fair)
    named["child_runs_first"] = order_of(spec.child_runs_first, fair)
    return {**named, "fair_as_of": fair.as_of}


def _fork_order(counts: Sequence[int]) -> dict[str, dict[str, int]]:
    """Return by kind of fork how many children were put where, and went on before their parents.

    ``ran_elsewhere`` are those that went on on another CPU than their parent's, wherever they had
    been put. ``kernel.process.fork_race`` says what exactly that means.
    """
    by_kind = {}
    for place, kind in enumerate(fork_race.KINDS):
        first = place * fork_race.PER_KIND
        by_kind[f"{kind}s"] = {
            "on_parents_cpu": counts[first + fork_race.PLACED_HERE],
            "on_parents_cpu_first": counts[first + fork_race.FIRST_HERE],
            "elsewhere": counts[first + fork_race.PLACED_AWAY],
            "elsewhere_first": counts[first + fork_race.FIRST_AWAY],
            "ran_elsewhere": counts[first + fork_race.RAN_AWAY],
        }
    return by_kind


def _below_quantum(run: Mapping[str, Any], latencies: Mapping[str, Histogram]) -> dict[str, int]:
    """Return for each latency how many samples in a thousand are no longer than the quantum."""
    quantum_ns: int = run["quantum_ns"]
    return {
        name: 1000 * histogram.count_up_to(quantum_ns) // histogram.count if histogram.count else 0
        for name, histogram in latencies.items()
    }


def _wall(wall: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
    total_ns: int = wall["total_ns"]
    if "loop_ns" in wall:
        wall = {**wall, "outside_ns": max(total_ns - wall["loop_ns"], 0)}
    rates = {f"{name}_per_s": _per_second(count, total_ns) for name, count in counts.items()}
    known_ns = sum(wall.get(name, 0) for name, _ in WALL_SPLIT)
    return {**wall, **rates, "other_ns": max(total_ns - known_ns, 0)}


def make_summary(
    spec: MachineSpec,
    kernel_stats: dict[str, Any],
    cpu_stats: Sequence[dict[str, Any]],
    locks: Sequence[dict[str, Any]],
    run: Mapping[str, Any],
    wall: Mapping[str, Any],
    cgroups: Mapping[str, Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """Return the summary of one run.

    Args:
        spec: the machine.
        kernel_stats: ``KernelStats.to_plain()``.
        cpu_stats: ``CpuStats.to_plain()`` of every CPU.
        locks: ``LockStat.to_plain()`` of every lock class.
        run: ``virtual_ns`` (the end of virtual time) and ``verdict`` (how it ended; empty: it was
            stopped); further ints and strings about the run (``scheme``, …) are copied. Nothing
            that differs between engines.
        wall: ``total_ns``, host time of the whole run; of this ``guest_ns``, ``kernel_ns``,
            ``cpu_ns``, ``encode_ns``, ``output_ns``, ``ray_wait_ns``, as far as the engine
            measured them, and ``loop_ns``, the superstep loop, so that the time before and after
            it is known; further values about the host side (``engine``) are copied.
        cgroups: of each group of the configuration, by path, what its cpu.stat reads.

    Raises:
        KeyError: a counter, ``virtual_ns``, ``verdict`` or ``total_ns`` is missing.
    """
    virtual_ns: int = run["virtual_ns"]
    run["verdict"]  # refuse to summarise a run of which nobody says how it ended
    cpu = CpuStats()
    for one in cpu_stats:
        cpu.merge(CpuStats.from_plain(one))
    kernel_groups, kernel_left = _grouped(KernelStats.from_plain(kernel_stats).to_plain(), GROUPS)
    cpu_groups, cpu_left = _grouped(
        {name: getattr(cpu, name) for name in CpuStats.COUNTERS}, CPU_GROUPS
    )
    if run.get("scheme") in BY_QUANTUM:
        below = _below_quantum(run, cpu_groups["latency_ns"])
        cpu_groups["causality"]["below_quantum_permille"] = below
    life = kernel_groups["lifecycles"]
    counts = {
        "forks": life["forks"] + life["vforks"],
        "exits": life["exits"],
        "lifecycles": life["completed"],
    }
    summary = {
        "format": FORMAT,
        "machine": _machine(spec),
        "run": dict(run),
        **kernel_groups,
        **cpu_groups,
        "fork_order": _fork_order(kernel_left.pop("fork_order")),
        "per_cpu": {
            name: [one[name] for one in cpu_stats] for name in ("user_ns", "system_ns", "idle_ns")
        },
        **_speed(cpu_stats),
        **({"cgroups": cgroups} if cgroups else {}),
        "rates": {f"{key}_per_virtual_s": _per_second(n, virtual_ns) for key, n in counts.items()},
        "migrations": {
            "total": kernel_left.pop("migrations"),
            "pulls": cpu_left.pop("pulls"),
            "pull_failures": cpu_left.pop("pull_failures"),
        },
        "locks": sorted((dict(lock) for lock in locks), key=lambda lock: lock["name"]),
        "other": {
            **{f"kernel_{name}": value for name, value in kernel_left.items()},
            **{f"cpu_{name}": value for name, value in cpu_left.items()},
        },
        "wall": _wall(wall, counts),
    }
    return {key: _plain(summary[key]) for key in sorted(summary)}


def _speed(cpu_stats: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return the group ``speed`` if a CPU is not always as fast as it can be, else nothing."""
    rated = [one for one in cpu_stats if "shared_ns" in one]
    if not rated:
        return {}
    return {"speed": {name: sum(one[name] for one in rated) for name in RatedStats.OWN}}


def _plain(value: Any) -> Any:
    """Return ``value`` with sorted keys, histograms replaced by their percentiles."""
    if isinstance(value, Histogram):
        return value.summary()
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
