"""The statistics of a schedule as text, at most 80 columns wide where names are short."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster.report.sched.stats import CLASSES, KINDS
from cluster.report.units import format_ns
from kernel.trace.printable import printable

_CAUSES: Final = 6  # tasks that ran meanwhile, for each wait
_MANY_CPUS: Final = 256
_REFILLS: Final = (
    ("moved", "no wait: cache, after a move"),
    ("away", "no wait: cache, after a long absence"),
)
_PERCENTILES: Final = ("p50", "p90", "p99", "max")


def stats_lines(plain: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tables that ``SchedStats.plain`` says."""
    yield from _use(plain)
    yield ""
    yield from _fairness(plain["fairness"])
    yield ""
    yield from _waits(plain["waits_ns"], plain["refills_ns"])
    yield from _longest(plain["longest"])


def _table(rows: Sequence[Sequence[str]], left: int = 1) -> Iterator[str]:
    """Yield rows as lines; the first ``left`` columns are left-aligned."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _use(plain: Mapping[str, Any]) -> Iterator[str]:
    cpus, end_ns = plain["cpus"], plain["end_ns"]
    # a class that nobody was in is left out
    classes = [
        name
        for name in CLASSES
        if name in ("fair", "idle") or any(cpu[f"{name}_ns"] for cpu in cpus)
    ]
    counts = ("switches", "wakeups", "migrations_in", "migrations_out")
    rows = [["CPU", *classes, "switches", "wake-ups", "moved in", "moved out"]]
    for cpu in cpus if len(cpus) <= _MANY_CPUS else ():
        shares = [_percent(cpu[f"{name}_ns"], end_ns) for name in classes]
        rows.append([str(cpu["cpu"]), *shares, *(f"{cpu[name]:,}" for name in counts)])
    sums = [
        _percent(sum(cpu[f"{name}_ns"] for cpu in cpus), end_ns * len(cpus)) for name in classes
    ]
    rows.append(["all", *sums, *(f"{sum(cpu[name] for cpu in cpus):,}" for name in counts)])
    yield from _table(rows)


def _fairness(fair: Mapping[str, Any]) -> Iterator[str]:
    window = format_ns(fair["window_ns"])
    rows = [[f"Lag of the fair class, windows of {window}", "count", *_PERCENTILES]]
    for name, text in (("behind_ns", "behind its share"), ("ahead_ns", "ahead of its share")):
        one = fair[name]
        rows.append([text, f"{one['count']:,}", *(format_ns(one[key]) for key in _PERCENTILES)])
    yield from _table(rows)
    index = fair["jain_ppm"]
    if not index["windows"]:
        yield "Jain's index of fairness: no two tasks of one weight ran all through a window"
        return
    yield (
        f"Jain's index of fairness: mean {index['mean'] / 1e6:.4f}, "
        f"least {index['min'] / 1e6:.4f}, of {index['windows']:,} windows"
    )


def _waits(waits: Mapping[str, Any], refills: Mapping[str, Any]) -> Iterator[str]:
    texts = {
        "all": "all",
        "queue": "in the run queue, since woken",
        "preempted": "since preempted",
        "migrated": "since moved to another CPU",
    }
    rows = [["Wait", "count", "sum", *_PERCENTILES]]
    for name in ("all", *KINDS):
        one = waits[name]
        cells = [format_ns(one[key]) for key in ("total", *_PERCENTILES)]
        rows.append([texts[name], f"{one['count']:,}", *cells])
    for name, text in _REFILLS:
        one = refills[name]
        if one["count"]:
            cells = [format_ns(one[key]) for key in ("total", *_PERCENTILES)]
            rows.append([text, f"{one['count']:,}", *cells])
    yield from _table(rows)


def _longest(waits: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for wait in waits:
        yield ""
        whole_ns = wait["end_ns"] - wait["start_ns"]
        over = "" if wait["over"] else ", and still waits"
        yield (
            f"{printable(wait['comm'])}:{wait['pid']} waited {format_ns(whole_ns)} "
            f"from {format_ns(wait['start_ns'])}{over}"
        )
        for part in wait["parts"]:
            length = format_ns(part["to_ns"] - part["from_ns"])
            yield f"  {part['kind']:9} on CPU {part['cpu']}  {length:>10}"
        ran = wait["ran_meanwhile"]
        for one in ran[:_CAUSES]:
            name = "idle" if one["pid"] == 0 else f"{printable(one['comm'])}:{one['pid']}"
            share = _percent(one["run_ns"], whole_ns)
            yield f"    {name:24} ran {format_ns(one['run_ns']):>10}  {share:>7}"
        if len(ran) > _CAUSES:
            rest_ns = sum(one["run_ns"] for one in ran[_CAUSES:])
            text = f"{len(ran) - _CAUSES} more"
            yield f"    {text:24} ran {format_ns(rest_ns):>10}  {_percent(rest_ns, whole_ns):>7}"
