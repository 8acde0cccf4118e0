"""``smplab trace`` and ``smplab summary``: look at a run that is over, or at what is left of it."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.cli.common import discard_stdout, shown_digest
from cluster.cli.completion import complete_run
from cluster.cli.options import TraceArgument
from cluster.exit_codes import FAILED, USAGE, CliError

if TYPE_CHECKING:
    from cluster.rundir import RunDir
    from cluster.trace import TraceReader, TraceRecord


def time_option(option: str, text: str | None) -> int | None:
    """Return the virtual time in ns that an option's value names; None if it was not given.

    Raises:
        CliError: it names none.
    """
    from cluster.report.units import parse_ns

    if text is None:
        return None
    try:
        return parse_ns(text)
    except ValueError as error:
        raise CliError(USAGE, "usage", f"{option}: {error}") from None


def note_no_end() -> None:
    """Say that a trace has no end: nothing is lost if its run was stopped, and could go on."""
    print(
        "smplab: note: this trace has no end: its run was stopped, or it was cut", file=sys.stderr
    )


def trace_file(run: Path) -> Path:
    """Return the trace file that ``run`` names: a run directory's, or ``run`` itself.

    Raises:
        CliError, RunDirError: there is none.
    """
    from cluster.rundir import refuse_sweep, run_path

    run = run_path(run)
    path = run / "trace.smpt" if run.is_dir() else run
    if path.is_file():
        return path
    if run.is_dir():
        refuse_sweep(run)
        raise CliError(USAGE, "no trace", f"{run} has no trace.smpt (was the run traced?)")
    if run.exists():
        raise CliError(USAGE, "no trace", f"{run} is no regular file")
    raise CliError(USAGE, "no trace", f"{run} does not exist")


def trace_lines(
    reader: "TraceReader",
    *,
    pid: int | None = None,
    cpu: int | None = None,
    events: tuple[str, ...] = (),
    from_ns: int | None = None,
    to_ns: int | None = None,
) -> Iterator[str]:
    """Iterate over the lines of the records that meet every condition.

    Args:
        reader: of the trace.
        pid: records with this pid in a field, and all made while that task was running.
        cpu: records made on this CPU.
        events: records of one of these events; all if empty.
        from_ns: not earlier than this.
        to_ns: earlier than this.

    Raises:
        TraceError: the file has no such event, or is damaged.
    """
    from cluster.trace.text import TraceText

    for name in events:
        reader.event_number(name)
    text = TraceText(None if from_ns is None else reader.current_at(from_ns))

    def wanted(record: "TraceRecord") -> bool:
        return (
            (not events or record.event in events)
            and (cpu is None or record.cpu == cpu)
            and (pid is None or record.concerns(pid) or text.actor(record)[1] == pid)
        )

    for record in reader.select(from_ns=from_ns, to_ns=to_ns):
        text.begin(record)
        if wanted(record):
            yield text.line(record)
        text.follow(record)


def trace(
    run: TraceArgument,
    pid: Annotated[
        int | None, typer.Option(help="Only what task PID did or what names it.", min=0)
    ] = None,
    cpu: Annotated[int | None, typer.Option(help="Only what happened on this CPU.", min=0)] = None,
    event: Annotated[
        list[str] | None, typer.Option(help="Only this event, sched_switch say; may be repeated.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="From this virtual time: 1.5ms, 0.25 (seconds).")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Up to, not including, this virtual time.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many lines.", min=0)] = None,
) -> None:
    """Print a run's trace as text, in the form of ftrace, by virtual time."""
    from cluster.trace import TraceError, TraceReader

    from_ns, to_ns = time_option("--from", from_), time_option("--to", to)
    if from_ns is not None and to_ns is not None and from_ns >= to_ns:
        raise CliError(USAGE, "usage", f"--from {from_} is not before --to {to}")
    try:
        with TraceReader(trace_file(run)) as reader:
            _check_names(reader, pid, cpu)
            lines = trace_lines(
                reader, pid=pid, cpu=cpu, events=tuple(event or ()), from_ns=from_ns, to_ns=to_ns
            )
            print_lines(islice(lines, limit))
            if not reader.complete:
                note_no_end()
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None


def _check_names(reader: "TraceReader", pid: int | None, cpu: int | None) -> None:
    """Raise CliError if the whole trace knows no such task or CPU."""
    cpus = sum(name.startswith("cpu") for name in reader.lps)
    if cpu is not None and cpu >= cpus:
        raise CliError(USAGE, "no cpu", f"--cpu {cpu}: the machine had CPUs 0 to {cpus - 1}")
    if pid and not any(record.concerns(pid) for record in reader.select()):
        raise CliError(USAGE, "no process", f"--pid {pid}: no record names such a task")


def print_lines(lines: Iterator[str]) -> None:
    """Print to stdout; somebody who stops reading (``| head``) ends it without a word."""
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()


def summary(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", autocompletion=complete_run, help="A run directory, or latest."
        ),
    ],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compute the digest from the files and compare.")
    ] = False,
) -> None:
    """Print a run's summary table again."""
    from cluster.report.table import print_summary
    from cluster.rundir import RunDir, RunDirError, run_path
    from cluster.trace import TraceError

    try:
        directory = RunDir.open(run_path(run))
        manifest = directory.manifest()
        data = directory.summary()
        digest = data.get("digest", "")
        if verify:
            _verify(directory, data, digest)
        shown = shown_digest(manifest.get("exit_kind"), digest)
        print_summary(data, shown, complete=bool(manifest.get("complete")))
        if verify and not shown:
            what = "the files have the digest that was noted; the run did not come to its end"
            print(f"smplab: note: {what}", file=sys.stderr)
    except (RunDirError, TraceError) as error:
        raise CliError(USAGE, "bad run directory", str(error)) from None
    except (KeyError, TypeError) as error:
        raise CliError(
            USAGE, "bad run directory", f"{run}/summary.json is not of this version: {error!r}"
        ) from None


def _verify(directory: "RunDir", data: dict[str, Any], digest: str) -> None:
    """Raise CliError unless trace and summary are those that ``digest`` was made of."""
    from cluster.digest import digest_of_files

    trace_path = directory.trace_path
    found = digest_of_files(trace_path if trace_path.exists() else None, data)
    if found != digest:
        raise CliError(FAILED, "digest differs", f"recorded {digest}, the files have {found}")


def register(app: typer.Typer) -> None:
    """Add the commands ``trace`` and ``summary`` to ``app``."""
    app.command()(trace)
    app.command()(summary)
