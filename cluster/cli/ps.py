"""``smplab ps``, ``pstree`` and ``acct``: the tasks of a run at some time, and how each ended."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.completion import complete_run
from cluster.cli.options import TraceArgument
from cluster.cli.trace import note_no_end, print_lines, time_option, trace_file
from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.report.process_table import ProcessTable

_At = Annotated[
    str | None,
    typer.Option("--at", help="At this virtual time: 1.5ms, 0.25 (seconds); else at the end."),
]

_Wide = Annotated[
    bool, typer.Option("-w", "--wide", help="Whole lines, not as wide as the terminal (or 80).")
]


def fitting(lines: Iterable[str], wide: bool) -> Iterator[str]:
    """Yield lines cut at the width of the terminal, or at 80 columns where there is none."""
    width = shutil.get_terminal_size((80, 24)).columns
    return (line if wide else line[:width] for line in lines)


def process_table(run: Path, at: str | None) -> "ProcessTable":
    """Return the process table of a run at a time given as text.

    Raises:
        CliError: no trace, a damaged one, or no time.
    """
    from cluster.report.process_table import ProcessTable
    from cluster.trace import TraceError, TraceReader

    at_ns = time_option("--at", at)
    try:
        with TraceReader(trace_file(run)) as reader:
            to_ns = None if at_ns is None else at_ns + 1
            table = ProcessTable.at(reader.select(to_ns=to_ns), at_ns)
            if not reader.complete:
                note_no_end()
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None
    return table


def ps(
    run: TraceArgument,
    at: _At = None,
    threads: Annotated[bool, typer.Option("-L", "--threads", help="One line a thread.")] = False,
    columns: Annotated[
        str | None, typer.Option("-o", "--format", help="Columns: pid,ppid,stat,psr,time,args, …")
    ] = None,
    wide: _Wide = False,
) -> None:
    """Print the processes that a run had at a virtual time, as ps does."""
    from cluster.report.ps import ColumnError, parse_columns, ps_lines

    try:
        names = None if columns is None else parse_columns(columns)
    except ColumnError as error:
        raise CliError(USAGE, "usage", f"-o: {error}") from None
    print_lines(fitting(ps_lines(process_table(run, at), names, threads=threads), wide))


def pstree(
    run: TraceArgument,
    at: _At = None,
    pid: Annotated[int, typer.Option(help="Only the tree below this process.", min=0)] = 0,
    pids: Annotated[bool, typer.Option("-p/-P", "--pids/--no-pids", help="Show pids.")] = True,
    threads: Annotated[
        bool, typer.Option("--threads/--hide-threads", "-t/-T", help="Show threads.")
    ] = True,
    arguments: Annotated[bool, typer.Option("-a", "--arguments", help="Show arguments.")] = False,
    wide: _Wide = False,
) -> None:
    """Print the tree of processes that a run had at a virtual time, as pstree does."""
    from cluster.report.ps import pstree_lines

    table = process_table(run, at)
    if pid and pid not in table.tasks:
        raise CliError(USAGE, "no process", f"there is no process {pid} at that time in {run}")
    lines = pstree_lines(table, pid, pids=pids, threads=threads, arguments=arguments)
    print_lines(fitting(lines, wide))


def acct(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            autocompletion=complete_run,
            help="A run directory, latest, or a file of records.",
        ),
    ],
    precise: Annotated[
        bool, typer.Option("--precise", "-p", help="Times in ns, too; of a run directory.")
    ] = False,
) -> None:
    """Print the BSD accounting records of a run with kernel.acct, in order of exit.

    Their times have hundredths of a second and few digits; --precise shows the kernel's beside.
    """
    from cluster.report.acct import AcctError, acct_lines, read_acct, read_exact
    from cluster.rundir import RunDir, run_path

    run = run_path(run)
    directory = RunDir.open(run) if run.is_dir() else None
    path = run if directory is None else directory.acct_path
    if not path.is_file():
        raise CliError(USAGE, "no records", f"{path} does not exist (was kernel.acct on?)")
    try:
        records = read_acct(path.read_bytes())
        exact = None
        if precise:
            if directory is None or not directory.acct_exact_path.is_file():
                raise CliError(USAGE, "no records", f"{run}: exact times are in run directories")
            path = directory.acct_exact_path
            exact = read_exact(path.read_bytes(), len(records))
    except AcctError as error:
        raise CliError(USAGE, "bad records", f"{path}: {error}") from None
    print_lines(iter(acct_lines(records, exact)))


def register(app: typer.Typer) -> None:
    """Add the commands ``ps``, ``pstree`` and ``acct`` to ``app``."""
    app.command()(ps)
    app.command()(pstree)
    app.command()(acct)
