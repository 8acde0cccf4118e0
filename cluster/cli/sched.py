"""``smplab sched …``: the schedule of a run, as perf sched shows one, and what is wrong with it."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.cli.options import JsonOption, TraceArgument
from cluster.cli.trace import note_no_end, print_lines, time_option, trace_file
from cluster.exit_codes import FAILED, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.trace import TraceReader

app = typer.Typer(
    name="sched",
    help="Read the schedule of a run, as perf sched does.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Json = JsonOption
_JsonLines = Annotated[bool, typer.Option("--json", help="As JSON, one value a line; times in ns.")]
_Cpus = Annotated[
    str | None, typer.Option("-C", "--cpu", metavar="LIST", help="Only these CPUs: 0,2-5.")
]
_LIST = re.compile(r"(\d+)(?:-(\d+))?\Z", re.ASCII)


def numbers(option: str, text: str | None) -> list[int]:
    """Return the numbers that ``0,2-5`` names; none for None.

    Raises:
        CliError: it names none.
    """
    found: list[int] = []
    for part in [] if text is None else text.split(","):
        match = _LIST.match(part.strip())
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else -1
        if not first <= last < first + (1 << 22):
            raise CliError(USAGE, "usage", f"{option}: no list of numbers: {text!r} (write 0,2-5)")
        found.extend(range(first, last + 1))
    return found


def time_span(text: str | None) -> tuple[int, int | None]:
    """Return first and last time of ``A,B``, ``A,`` or ``,B``; None: no end.

    Raises:
        CliError: it is none, or ends before it begins.
    """
    if text is None:
        return 0, None
    first, comma, last = text.partition(",")
    if not comma:
        raise CliError(USAGE, "usage", f"--time: write A,B or A, or ,B (got {text!r})")
    from_ns = time_option("--time", first.strip() or None) or 0
    to_ns = time_option("--time", last.strip() or None)
    if to_ns is not None and to_ns < from_ns:
        raise CliError(USAGE, "usage", f"--time: {first} is not before {last}")
    return from_ns, to_ns


@contextmanager
def opened(run: Path) -> Iterator[tuple["TraceReader", int, int]]:
    """Open the trace of a run: reader, number of CPUs, and when it ended (0: not known).

    Raises:
        CliError: there is no such run, it has no trace, or its trace is damaged.
    """
    from cluster.rundir import RunDir, RunDirError, run_path
    from cluster.trace import TraceError, TraceReader

    path = run_path(run)
    end_ns = 0
    if path.is_dir():
        directory = RunDir.open(path)
        try:
            end_ns = directory.summary()["run"]["virtual_ns"]
        except (RunDirError, KeyError, TypeError):
            end_ns = 0  # the run did not end: what its trace has is all there is
    try:
        with TraceReader(trace_file(path)) as reader:
            reader.event_number("sched_switch")
            yield reader, sum(name.startswith("cpu") for name in reader.lps), end_ns
            if not reader.complete:
                note_no_end()
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None


def check_cpus(option: str, chosen: Iterable[int], cpus: int) -> None:
    """Raise CliError if the machine had no such CPU."""
    for cpu in chosen:
        if cpu >= cpus:
            raise CliError(USAGE, "no cpu", f"{option} {cpu}: the machine had CPUs 0 to {cpus - 1}")


def _json_lines(values: Iterable[Any]) -> Iterator[str]:
    return (json.dumps(value) for value in values)


@app.command()
def latency(
    run: TraceArgument,
    sort: Annotated[
        str, typer.Option("-s", "--sort", help="By avg, max, switch, runtime; several with commas.")
    ] = "avg,max,switch,runtime",
    pids: Annotated[bool, typer.Option("-p", "--pids", help="A row a task, not a name.")] = False,
    cpu: _Cpus = None,
    as_json: _Json = False,
) -> None:
    """Print run time, switches and delays of the tasks, as perf sched latency does."""
    from cluster.report.sched.latency import SORT_KEYS, Latency, latency_lines, latency_plain

    keys = [key.strip() for key in sort.split(",")]
    wrong = [key for key in keys if key not in SORT_KEYS]
    if wrong:
        known = ", ".join(SORT_KEYS)
        raise CliError(USAGE, "usage", f"--sort: no key {wrong[0]!r}; there are {known}")
    chosen = numbers("--cpu", cpu)
    with opened(run) as (reader, cpus, end_ns):
        check_cpus("--cpu", chosen, cpus)
        rows = Latency(reader.select(), frozenset(chosen), end_ns).rows(keys, pids=pids)
        plain = _json_lines([latency_plain(rows)])
        print_lines(plain if as_json else latency_lines(rows))


@app.command()
def timehist(
    run: TraceArgument,
    summary: Annotated[bool, typer.Option("-s", "--summary", help="Only the summary.")] = False,
    with_summary: Annotated[
        bool, typer.Option("-S", "--with-summary", help="The summary, too.")
    ] = False,
    wakeups: Annotated[bool, typer.Option("-w", "--wakeups", help="Show wake-ups.")] = False,
    migrations: Annotated[
        bool, typer.Option("-M", "--migrations", help="Show migrations.")
    ] = False,
    show_next: Annotated[bool, typer.Option("-n", "--next", help="Show the next task.")] = False,
    state: Annotated[bool, typer.Option("--state", help="Show the state it left in.")] = False,
    visual: Annotated[
        bool, typer.Option("-V", "--cpu-visual", help="Show a column for each CPU.")
    ] = False,
    pid: Annotated[
        str | None, typer.Option("-p", "--pid", metavar="LIST", help="Only these processes.")
    ] = None,
    tid: Annotated[
        str | None, typer.Option("-t", "--tid", metavar="LIST", help="Only these threads.")
    ] = None,
    comm: Annotated[
        str | None, typer.Option("--comm", metavar="LIST", help="Only tasks of these names.")
    ] = None,
    cpu: _Cpus = None,
    time: Annotated[
        str | None, typer.Option("--time", metavar="A,B", help="From A to B: 1ms,2ms or 1ms, .")
    ] = None,
    as_json: _JsonLines = False,
) -> None:
    """Print every stay of a task on a CPU, as perf sched timehist does."""
    from cluster.report.sched import timehist as th

    from_ns, to_ns = time_span(time)
    choice = th.Choice(
        pids=frozenset(numbers("--pid", pid)),
        tids=frozenset(numbers("--tid", tid)),
        comms=frozenset(comm.split(",")) if comm else frozenset(),
        cpus=frozenset(numbers("--cpu", cpu)),
        from_ns=from_ns,
        to_ns=to_ns,
        wakeups=wakeups,
        migrations=migrations,
        next=show_next,
        state=state,
        visual=visual,
    )
    with opened(run) as (reader, cpus, end_ns):
        check_cpus("--cpu", sorted(choice.cpus), cpus)
        hist = th.Timehist(cpus, choice)
        entries = hist.entries(reader.select(), end_ns)

        def lines() -> Iterator[str]:
            if summary:
                for _ in entries:
                    pass
            elif as_json:
                yield from _json_lines(map(th.entry_plain, entries))
            else:
                yield from th.head_lines(cpus, choice)
                for entry in entries:
                    yield th.line(entry, cpus, choice)
            if (summary or with_summary) and as_json:
                yield json.dumps(th.summary_plain(hist))
            elif summary or with_summary:
                yield from th.summary_lines(hist)

        print_lines(lines())


@app.command("map")
def sched_map(
    run: TraceArgument,
    compact: Annotated[
        bool, typer.Option("--compact", help="Only CPUs that have switched.")
    ] = False,
    cpus: Annotated[
        str | None, typer.Option("--cpus", metavar="LIST", help="Only these CPUs.")
    ] = None,
    color_pids: Annotated[
        str | None, typer.Option("--color-pids", metavar="LIST", help="Colour these tasks.")
    ] = None,
    color_cpus: Annotated[
        str | None, typer.Option("--color-cpus", metavar="LIST", help="Colour these CPUs.")
    ] = None,
    as_json: _JsonLines = False,
) -> None:
    """Print which task each CPU runs, a line a switch, as perf sched map does."""
    from cluster.report.sched.map import SchedMap, map_plain, switches

    chosen, pids = numbers("--cpus", cpus), numbers("--color-pids", color_pids)
    coloured = numbers("--color-cpus", color_cpus)
    with opened(run) as (reader, count, _):
        check_cpus("--cpus", chosen, count)
        check_cpus("--color-cpus", coloured, count)
        records = switches(reader.select(event="sched_switch"), frozenset(chosen))
        if as_json:
            print_lines(_json_lines(map_plain(records)))
            return
        table = SchedMap(
            sorted(set(chosen)) or list(range(count)),
            compact=compact,
            colour_pids=frozenset(pids),
            colour_cpus=frozenset(coloured),
            colours=sys.stdout.isatty(),
        )
        print_lines(table.lines(records))


@app.command()
def stats(
    run: TraceArgument,
    window: Annotated[str, typer.Option(help="Length of the windows of fairness.")] = "100ms",
    longest: Annotated[
        int, typer.Option(help="How many of the longest waits.", min=0, max=1000)
    ] = 3,
    as_json: _Json = False,
) -> None:
    """Print use of the CPUs by class, fairness, and waits with what caused the longest."""
    from cluster.report.sched.stats import SchedStats, add_causes
    from cluster.report.sched.stats_text import stats_lines

    window_ns = time_option("--window", window) or 0
    if window_ns <= 0:
        raise CliError(USAGE, "usage", "--window: must be longer than 0")
    with opened(run) as (reader, cpus, end_ns):
        found = SchedStats(cpus, window_ns, longest)
        found.read(reader.select(), end_ns)
        add_causes(reader, found.longest())
        plain = found.plain()
        print_lines(_json_lines([plain]) if as_json else stats_lines(plain))


@app.command()
def wasted(
    run: TraceArgument,
    confirm: Annotated[
        str, typer.Option(help="A CPU that idled so for no longer than this is not told.")
    ] = "100ms",
    longest: Annotated[
        int, typer.Option(help="How many of the longest are shown.", min=0, max=100_000)
    ] = 5,
    as_json: _Json = False,
) -> int:
    """Tell which CPUs idled while tasks that may run there waited on others; exit 1 if any did."""
    from cluster.report.sched.wasted import Wasted, wasted_lines

    confirm_ns = time_option("--confirm", confirm) or 0
    with opened(run) as (reader, cpus, end_ns):
        found = Wasted(cpus, confirm_ns)
        found.read(reader.select(), end_ns)
        print_lines(_json_lines([found.plain()]) if as_json else wasted_lines(found, longest))
    return FAILED if found.findings else OK


def register(parent: typer.Typer) -> None:
    """Add the commands ``sched …`` to ``parent``."""
    parent.add_typer(app)
