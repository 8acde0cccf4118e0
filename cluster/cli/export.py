"""``smplab export``: a run's trace in the formats of other tools."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.options import TraceArgument
from cluster.cli.trace import note_no_end, trace_file
from cluster.cli.writing import told_if_not_written
from cluster.exit_codes import USAGE, CliError


def complete_format(incomplete: str) -> list[str]:
    """Return the formats that begin so."""
    from cluster.export import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]


def export(
    run: TraceArgument,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            autocompletion=complete_format,
            help="perfetto, perf, trace-cmd, ftrace, chrome, parquet, jsonl; "
            "by default that of FILE's ending, or perfetto.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where to; - is standard output. By default named after the run.",
        ),
    ] = None,
) -> None:
    """Write a run's trace in the format of another tool: Perfetto, perf, trace-cmd, ...

    FILE appears when it is whole; one that is there is replaced.
    """
    from cluster.export import FORMATS, CannotExport
    from cluster.export import export as write
    from cluster.rundir import RunDir, run_path
    from cluster.trace import TraceError

    if format_ is None:
        endings = [name for name, one in FORMATS.items() if out and out.endswith(one.suffix)]
        format_ = endings[0] if endings else "perfetto"
    if format_ not in FORMATS:
        known = ", ".join(FORMATS)
        raise CliError(USAGE, "usage", f"--format: no format {format_!r}; there are {known}")
    path = run_path(run)
    if path.is_dir():
        RunDir.open(path)
    trace = trace_file(path)
    target = Path(out) if out else _default(path, FORMATS[format_].suffix)
    try:
        with told_if_not_written(target):
            count, complete = write(trace, format_, target)
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None
    except CannotExport as error:
        raise CliError(USAGE, "cannot export", str(error)) from None
    if not complete:
        note_no_end()
    if str(target) != "-":
        print(f"{target}: {count:,} records, for {FORMATS[format_].read_by}")


def _default(path: Path, suffix: str) -> Path:
    """Return a name in the current folder: of a run directory, or of a trace file."""
    return Path(f"{path.resolve().name if path.is_dir() else path.stem}{suffix}")


def register(app: typer.Typer) -> None:
    """Add the command ``export`` to ``app``."""
    app.command()(export)
