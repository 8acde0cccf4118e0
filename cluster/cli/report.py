"""``smplab report``: a run as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.options import RunArgument
from cluster.exit_codes import TRY_AGAIN, USAGE, CliError


def report(
    run: RunArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE.html",
            help="Where to; by default report.html in the run directory.",
        ),
    ] = None,
) -> None:
    """Write a run as one HTML page: timeline, tasks, runqueues, waits, locks, memory.

    The page needs no network; open it with a browser, send it by mail. FILE appears when it is
    whole.
    """
    from cluster.export.sink import FULL, output
    from cluster.page import make_page
    from cluster.rundir import RunDir, run_path
    from cluster.trace import TraceError

    path = run_path(run)
    if (path / "sweep.json").is_file():
        raise CliError(
            USAGE, "usage", f"{path} is a sweep, which has no page yet: smplab compare {path}"
        )
    directory = RunDir.open(path)
    trace = directory.trace_path if directory.trace_path.is_file() else None
    there = (path / "summary.json").is_file()
    try:
        page = make_page(directory.manifest(), directory.summary() if there else None, trace)
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None
    target = out or path / "report.html"
    try:
        with output(target) as file:
            file.write(page.encode("utf-8", "replace"))
    except OSError as error:
        code = TRY_AGAIN if error.errno in FULL else USAGE
        raise CliError(code, "cannot write", f"{target}: {error.strerror}") from None
    print(target)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
