"""The summary as a table for people, at any width; the digest is the last line.

On a terminal its heads are coloured; elsewhere it is plain ASCII, 80 columns wide unless COLUMNS
says otherwise, so that it can be kept in a log and compared with diff.
"""

import textwrap
from collections.abc import Mapping
from typing import IO, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cluster.digest import short_digest
from cluster.report.summary import BY_QUANTUM, WALL_SPLIT
from cluster.report.units import format_ns

_MIN_WIDTH: Final = 40
_FEW_CPUS: Final = 8
_MANY_CPUS: Final = 256
_IN_A_LINE: Final = 10


class _Console(Console):
    """A console whose closed pipe is the caller's affair; rich would end the program."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError


_PERCENTILES: Final = ("p50", "p90", "p99", "max")
_SLOWER: Final = (
    ("user time beside a busy sibling", "shared_ns"),
    ("user time to fill caches", "refill_ns"),
    ("interrupts", "irq_ns"),
    ("soft interrupts", "softirq_ns"),
    ("stolen", "steal_ns"),
)


def print_summary(
    summary: Mapping[str, Any],
    digest: str,
    *,
    complete: bool = True,
    file: IO[str] | None = None,
) -> None:
    """Print ``summary`` to ``file`` (stdout if None), in the way its kind of file asks for.

    Raises BrokenPipeError if nobody reads it any more.

    Args:
        summary: as ``make_summary`` gave it, or read back from ``summary.json``.
        digest: of the run, as ``RunDigest.finish`` gave it; empty for none.
        complete: False puts a warning on top.
    """
    _print(
        _Console(file=file, highlight=False, emoji=False, markup=False), summary, digest, complete
    )


def _print(console: Console, summary: Mapping[str, Any], digest: str, complete: bool) -> None:
    console.width = max(console.width, _MIN_WIDTH)
    if not complete:
        _line(console, "This run is not complete: its numbers are those up to where it ended.")
    tables = (
        _counts(summary),
        _cpus(summary),
        _latencies(summary),
        _locks(summary),
        _fork_order(summary),
        _speed(summary),
        _cgroups(summary),
        _host_times(summary["wall"]),
    )
    for table in tables:
        if table is not None:
            _show(console, table)
        if table is tables[2]:
            _trust(console, summary)
    if digest:
        # the whole digest where it fits on one line, else the beginning that identifies it
        whole = f"digest {digest}"
        _line(console, whole if len(whole) <= console.width else f"digest {short_digest(digest)}")


def _show(console: Console, table: Table) -> None:
    if console.is_terminal:
        console.print(table, "")
        return
    # rich fills cells with blanks up to the edge; a log need not keep them
    with console.capture() as captured:
        console.print(table)
    lines = captured.get().splitlines()
    console.file.write("".join(f"{line.rstrip()}\n" for line in [*lines, ""]))


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=False, overflow="fold")


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold cyan")
    table.add_column(title, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table


def _rate(per_s: int) -> str:
    return f"{per_s:,}/s"


def _counts(summary: Mapping[str, Any]) -> Table:
    run, machine, wall = summary["run"], summary["machine"], summary["wall"]
    life, rates, memory = summary["lifecycles"], summary["rates"], summary["memory"]
    switches, peaks, late = summary["switches"], summary["peaks"], summary["causality"]
    table = _table("Run", ("count", "virtual", "wall"))
    table.add_row(
        f"ended: {run['verdict'] or 'stopped early'}",
        "",
        format_ns(run["virtual_ns"]),
        format_ns(wall["total_ns"]),
    )
    table.add_row("CPUs", f"{machine['cpus']:,}")
    if "scheme" in run:
        bound = {**dict.fromkeys(BY_QUANTUM, "quantum"), "slack": "slack"}.get(run["scheme"], "")
        label = f"scheme, {bound}" if bound else "scheme"
        table.add_row(label, run["scheme"], format_ns(run[f"{bound}_ns"]) if bound else "")
    if "furthest_ahead_ns" in run:
        table.add_row("furthest ahead", "", format_ns(run["furthest_ahead_ns"]))
    if "fair_as_of" in machine:
        as_of = machine["fair_as_of"]
        fair = f"{machine['fair'].upper()} of {as_of}" if as_of else machine["fair"]
        table.add_row("scheduler", fair)
        table.add_row("child runs first", machine["child_runs_first"])
    for label, count, key in (
        ("lifecycles", life["completed"], "lifecycles"),
        ("forks, vforks", life["forks"] + life["vforks"], "forks"),
        ("exits", life["exits"], "exits"),
    ):
        virtual, real = rates[f"{key}_per_virtual_s"], wall[f"{key}_per_s"]
        table.add_row(label, f"{count:,}", _rate(virtual), _rate(real))
    for label, count in (
        ("threads", life["threads"]),
        ("execs", life["execs"]),
        ("waits", life["waits"]),
        ("switches, voluntary", switches["voluntary"]),
        ("switches, involuntary", switches["involuntary"]),
        ("migrations", summary["migrations"]["total"]),
        ("COW faults, copied", memory["cow_copied"]),
        ("COW faults, reused", memory["cow_reused"]),
        ("COW copies saved", memory.get("cow_saved", 0)),
        ("PTEs copied", memory["ptes_copied"]),
        ("pages copied by fork", memory["pages_copied_by_fork"]),
        ("peak tasks", peaks["tasks"]),
        ("peak zombies", peaks["zombies"]),
        ("peak frames", peaks["frames"]),
        ("causality violations", late["violations"]),
    ):
        table.add_row(label, f"{count:,}")
    return table


def _latencies(summary: Mapping[str, Any]) -> Table:
    """Percentiles; of a run by quanta also the share of samples that the quantum blurs."""
    below: Mapping[str, int] = summary["causality"].get("below_quantum_permille", {})
    columns: tuple[str, ...] = _PERCENTILES
    if below:
        columns = (*_PERCENTILES, f"<= {format_ns(summary['run']['quantum_ns'])}")
    table = _table("Latency", columns)
    rows = [
        ("fork to first run", summary["latency_ns"]["fork_to_first_run"], "fork_to_first_run"),
        ("runqueue wait", summary["latency_ns"]["runqueue_wait"], "runqueue_wait"),
    ]
    if summary["causality"]["violations"]:
        rows.append(("effects too late", summary["causality"]["lateness_ns"], ""))
    for label, latency, name in rows:
        share = [f"{below[name] // 10} %"] if name in below else []
        table.add_row(label, *(format_ns(latency[part]) for part in _PERCENTILES), *share)
    return table


def _trust(console: Console, summary: Mapping[str, Any]) -> None:
    """Say how far the latencies of a run by quanta can be trusted."""
    if "below_quantum_permille" not in summary["causality"]:
        return
    quantum = format_ns(summary["run"]["quantum_ns"])
    text = (
        f"Under the scheme {summary['run']['scheme']} CPUs run up to {quantum} (the quantum) "
        "apart: latencies up to that are not to be trusted. On the local engine "
        "--set sync.scheme=exact measures them."
    )
    for line in textwrap.wrap(text, console.width):
        _line(console, line)
    _line(console, "")


def _cpus(summary: Mapping[str, Any]) -> Table | None:
    """How busy each CPU was: user, system and idle of a few, the sum of many, ten to a line."""
    per_cpu, virtual_ns = summary.get("per_cpu"), summary["run"]["virtual_ns"]
    if per_cpu is None or virtual_ns <= 0:  # a summary of before 0.1.0's end
        return None
    user, system = per_cpu["user_ns"], per_cpu["system_ns"]
    busy = [one + other for one, other in zip(user, system)]

    def percent(time_ns: int) -> str:
        return f"{100 * time_ns / virtual_ns:.0f} %"

    if len(busy) <= _FEW_CPUS:
        table = _table("CPU", ("busy", "user", "system"))
        for cpu, time_ns in enumerate(busy):
            table.add_row(str(cpu), percent(time_ns), percent(user[cpu]), percent(system[cpu]))
    elif len(busy) <= _MANY_CPUS:
        table = _table("CPUs busy, %", tuple(str(place) for place in range(_IN_A_LINE)))
        for first in range(0, len(busy), _IN_A_LINE):
            part = busy[first : first + _IN_A_LINE]
            table.add_row(f"from {first}", *(f"{100 * one / virtual_ns:.0f}" for one in part))
    else:
        order = sorted(busy)
        table = _table("CPUs busy", ("min", "p10", "p50", "p90", "max", "never"))
        shares = [order[len(order) * part // 100] for part in (0, 10, 50, 90)]
        never = sum(one == 0 for one in busy)
        table.add_row("all", *map(percent, (*shares, order[-1])), f"{never:,}")
    return table


def _locks(summary: Mapping[str, Any]) -> Table | None:
    """Most waited-for first; locks that nobody took are left out."""
    taken = [lock for lock in summary["locks"] if lock["acquisitions"]]
    if not taken:
        return None
    table = _table("Lock", ("taken", "contended", "wait", "hold"))
    for lock in sorted(taken, key=lambda lock: (-lock["wait_ns"], lock["name"])):
        table.add_row(
            lock["name"],
            f"{lock['acquisitions']:,}",
            f"{lock['contended']:,}",
            format_ns(lock["wait_ns"]),
            format_ns(lock["hold_ns"]),
        )
    return table


def _fork_order(summary: Mapping[str, Any]) -> Table | None:
    """Where children were put and ran, and how many of them went on before their parents."""
    kinds = [
        (kind, counts)
        for kind, counts in summary.get("fork_order", {}).items()
        if counts["on_parents_cpu"] or counts["elsewhere"]
    ]
    if not kinds:
        return None
    table = _table("Children", ("parent's CPU", "first", "another", "first", "ran there"))
    for kind, counts in kinds:
        here, away = counts["on_parents_cpu"], counts["elsewhere"]
        table.add_row(
            kind,
            f"{here:,}",
            _share(counts["on_parents_cpu_first"], here),
            f"{away:,}",
            _share(counts["elsewhere_first"], away),
            f"{counts['ran_elsewhere']:,}",
        )
    return table


def _speed(summary: Mapping[str, Any]) -> Table | None:
    """What made CPUs slower, if anything did."""
    speed = summary.get("speed", {})
    rows = [(label, key) for label, key in _SLOWER if speed.get(key)]
    if not rows:
        return None
    times = summary["cpu_time_ns"]
    whole = times["user"] + times["system"] + times["idle"]
    whole += sum(speed[key] for key in ("irq_ns", "softirq_ns", "steal_ns"))
    table = _table("Slower CPUs", ("time", "of all CPUs"))
    for label, key in rows:
        table.add_row(label, format_ns(speed[key]), _share(speed[key], whole))
    return table


def _cgroups(summary: Mapping[str, Any]) -> Table | None:
    """What groups of the configuration have used, and how often those with a limit had none left.

    The time is that of all CPUs on which a group had to wait.
    """
    groups = summary.get("cgroups")
    if not groups:
        return None
    table = _table("Group", ("CPU time", "periods", "throttled", "time throttled"))
    for path, stat in groups.items():
        used = format_ns(stat["usage_usec"] * 1000)
        if stat.get("nr_periods"):
            throttled_ns = stat["throttled_usec"] * 1000
            counts = (f"{stat['nr_periods']:,}", f"{stat['nr_throttled']:,}")
            table.add_row(path, used, *counts, format_ns(throttled_ns))
        else:
            table.add_row(path, used, "-", "-", "-")
    return table


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _host_times(wall: Mapping[str, Any]) -> Table | None:
    """What the engine measured, and the rest."""
    parts = [(label, wall[name]) for name, label in WALL_SPLIT if name in wall]
    if not parts:
        return None
    total_ns = wall["total_ns"]
    table = _table("Host time", ("time", "share"))
    for label, time_ns in (*parts, ("rest", wall["other_ns"])):
        share = f"{100 * time_ns / total_ns:.0f} %" if total_ns > 0 else "-"
        table.add_row(label, format_ns(time_ns), share)
    return table
