"""What can be measured of a run: the names that ``measure`` of an experiment takes.

A measure is an integer, or nothing where there was nothing to measure. ``summary.PATH`` is a number
of the run's summary by its place there; of a lock it is ``summary.locks.NAME.FIELD``. The places
are listed here, so that a wrong one is refused before anything runs; a test holds the list to what
runs have.
"""

import difflib
import re
from typing import Final

# measure -> what it is
MEASURES: Final = {
    "virtual": "when the run ended, in virtual time",
    "wait_p50": "a wait for the CPU that half of all do not exceed",
    "wait_p95": "the same of 95 %",
    "wait_p99": "the same of 99 %",
    "wait_max": "the longest wait for a CPU",
    "jain": "Jain's index of fairness, mean of windows of 100 ms, in millionths",
    "migrations": "tasks that were moved to another CPU",
    "switches": "changes of the running task",
    "fork_mean": "from a fork until the child runs first, mean",
    "queue_mean": "a wait on a runqueue, mean, as the summary counts it",
    "lock_wait": "waits for locks of the kernel, sum",
    "violations": "effects that came to a CPU in its past",
    "late_mean": "by how much they were late, mean",
    "late_p99": "a lateness that 99 % of them do not exceed",
    "late_max": "the greatest lateness",
}
#: A measure's whole, where it is counted in parts.
PARTS: Final = {"jain": 1_000_000}
TRACED: Final = frozenset(("wait_p50", "wait_p95", "wait_p99", "wait_max", "jain"))  # need a trace
TIMES: Final = (  # in ns
    *("virtual", "wait_p50", "wait_p95", "wait_p99", "wait_max", "fork_mean", "queue_mean"),
    *("lock_wait", "late_mean", "late_p99", "late_max"),
)
_SPREAD: Final = ("count", "max", "p50", "p90", "p99")
_ORDER: Final = (
    "elsewhere",
    "elsewhere_first",
    "on_parents_cpu",
    "on_parents_cpu_first",
    "ran_elsewhere",
)
#: group of the summary -> its numbers
SUMMARY: Final[dict[str, tuple[str, ...]]] = {
    "causality": ("violations",),
    "causality.lateness_ns": _SPREAD,
    "cpu_time_ns": ("idle", "system", "user"),
    "fork_order.forks": _ORDER,
    "fork_order.threads": _ORDER,
    "fork_order.vforks": _ORDER,
    "latency_ns.fork_to_first_run": _SPREAD,
    "latency_ns.runqueue_wait": _SPREAD,
    "lifecycles": (
        *("autoreaped", "completed", "exec_failures", "execs", "exits", "fork_failures", "forks"),
        *("kthreads", "reparented", "threads", "vforks", "waits"),
    ),
    "memory": (
        *("cow_copied", "cow_reused", "cow_saved", "faults_anon", "faults_file", "faults_shared"),
        *("faults_zero", "oom_kills", "pages_copied_by_fork", "ptes_copied", "segfaults"),
    ),
    "migrations": ("pull_failures", "pulls", "total"),
    "other": (
        *("cpu_blocks", "cpu_migrations_in", "cpu_migrations_out", "cpu_requests", "cpu_ticks"),
        *("cpu_wakeups", "kernel_pulls", "kernel_requests", "kernel_restarts", "kernel_sleeps"),
        *("kernel_steps", "kernel_syscalls"),
    ),
    "peaks": ("frames", "tasks", "zombies"),
    "rates": ("exits_per_virtual_s", "forks_per_virtual_s", "lifecycles_per_virtual_s"),
    "run": ("quantum_ns", "supersteps", "virtual_ns"),
    "signals": ("delivered", "generated", "ignored"),
    "switches": ("involuntary", "total", "voluntary"),
    "wakeups": ("failed", "new", "woken"),
}
LOCKS: Final = (
    *("alloc_lock", "eventfd_lock", "futex_hash_bucket", "kthread_create_lock", "mmap_lock"),
    *("msg_ids.rwsem", "msg_perm", "pi_lock", "pidmap_lock", "pipe_mutex", "sem_ids.rwsem"),
    *("sem_perm", "shm_ids.rwsem", "shm_perm", "siglock", "tasklist_lock", "unix_iolock"),
    *("unix_state_lock", "wait_queue"),
)
LOCK_NUMBERS: Final = ("acquisitions", "contended", "hold_ns", "wait_max_ns", "wait_ns")
_SUMMARY: Final = "summary."
_SAID: Final = re.compile(r"(said|rate)\.([A-Za-z_][A-Za-z0-9_]*)\Z", re.ASCII)


def summary_places() -> list[str]:
    """Return every place of a number in a summary, as ``summary.PATH`` has it."""
    places = [f"{group}.{name}" for group, names in SUMMARY.items() for name in names]
    return places + [f"locks.{lock}.{number}" for lock in LOCKS for number in LOCK_NUMBERS]


def said_word(measure: str) -> tuple[str, str] | None:
    """Return ``said`` or ``rate``, and the word, of such a measure; None of another."""
    match = _SAID.match(measure)
    return (match[1], match[2]) if match else None


def summary_place(measure: str) -> str | None:
    """Return the PATH of ``summary.PATH``; None of another measure."""
    return measure[len(_SUMMARY) :] if measure.startswith(_SUMMARY) else None


def is_time(measure: str) -> bool:
    """Tell whether a measure is in ns."""
    place = summary_place(measure)
    if place is None:
        return measure in TIMES
    parts = place.split(".")
    unit = parts[-1].endswith("_ns") or any(part.endswith("_ns") for part in parts[:-1])
    return unit and parts[-1] != "count"


def wrong_measure(measure: str) -> str:
    """Return what is wrong with the name of a measure; "" if nothing is."""
    place = summary_place(measure)
    if place is not None:
        places = summary_places()
        if place in places:
            return ""
        near = difflib.get_close_matches(place, places, 1)
        hint = f" (did you mean {_SUMMARY}{near[0]}?)" if near else ""
        return f"the summary has no number {place}{hint}"
    if measure in MEASURES or said_word(measure):
        return ""
    return f"must be one of {', '.join(MEASURES)}, summary.PATH, said.WORD or rate.WORD"
