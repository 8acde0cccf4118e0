"""``smplab report``: a run or a sweep as one HTML page, or as a figure for a paper."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from cluster.cli.completion import complete_run
from cluster.cli.writing import told_if_not_written
from cluster.exit_codes import USAGE, CliError

_HTML: Final = "html"
_FORMATS: Final = (_HTML, "svg", "png")


def complete_format(incomplete: str) -> list[str]:
    """Return the formats that begin so."""
    return [name for name in _FORMATS if name.startswith(incomplete)]


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            autocompletion=complete_run,
            help="A run directory; a sweep, or SWEEP:AXIS=VALUE,… for some points; latest.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where to; by default report.html (.svg, .png) in the directory.",
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            autocompletion=complete_format,
            help="html, a page; svg or png, a figure; by default that of FILE's ending, or html.",
        ),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option("--x", metavar="AXIS", help="Of a sweep: the axis along the bottom."),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Of a sweep: measures, as in virtual,switches."),
    ] = None,
) -> None:
    """Write a run as one HTML page: timeline, tasks, runqueues, waits, locks, memory.

    Of a sweep the page has a curve of each measure over one axis, with 95 % bands over the seeds.
    --format svg or png makes a figure of it, the same bytes each time. A page needs no network;
    open it with a browser, send it by mail. FILE appears when it is whole.
    """
    from cluster.export.sink import output
    from cluster.figures.curves import NothingToDraw
    from cluster.figures.library import HOW, NoMatplotlib
    from cluster.sweep.differences import CompareError, is_sweep
    from cluster.sweep.directory import SweepDirError
    from cluster.trace import TraceError

    if format_ is None:
        ending = out.suffix[1:] if out is not None else ""
        format_ = ending if ending in _FORMATS else _HTML
    if format_ not in _FORMATS:
        what = f"--format: must be {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]} (got {format_!r})"
        raise CliError(USAGE, "usage", what)
    try:
        if is_sweep(run):
            folder, make = _of_sweep(run, format_, axis or "", measure)
        else:
            folder, make = _of_run(run, format_, given=(("--x", axis), ("--measure", measure)))
        data = make()
    except TraceError as error:
        raise CliError(USAGE, "bad trace", str(error)) from None
    except NoMatplotlib as missing:
        what = f"--format {format_} needs matplotlib ({missing}): {HOW}"
        raise CliError(USAGE, "usage", what) from None
    except (CompareError, NothingToDraw, SweepDirError) as error:
        raise CliError(USAGE, "report", str(error)) from None
    target = out or folder / f"report.{format_}"
    with told_if_not_written(target), output(target) as file:
        file.write(data)
    if str(target) != "-":
        print(target)


def _of_run(
    run: str, format_: str, given: tuple[tuple[str, str | None], ...]
) -> tuple[Path, Callable[[], bytes]]:
    """Return a run's directory, and what makes the file."""
    from cluster.figures.library import figure_bytes
    from cluster.figures.timeline import run_figure_of
    from cluster.page import make_page
    from cluster.rundir import RunDir, run_path

    for flag, value in given:
        if value is not None:
            raise CliError(USAGE, "usage", f"{flag} is for sweeps, and {run} is none")
    directory = RunDir.open(run_path(Path(run)))
    path = directory.path
    trace = directory.trace_path if directory.trace_path.is_file() else None
    summary = directory.summary() if (path / "summary.json").is_file() else None
    manifest = directory.manifest()
    if format_ == _HTML:
        return path, lambda: make_page(manifest, summary, trace).encode("utf-8", "replace")
    if trace is None:
        what = f"{path} has no trace, and a figure is made of it: run with trace.enabled: true"
        raise CliError(USAGE, "report", what)
    digest = str(summary["digest"]) if summary is not None else ""
    name = str(manifest.get("name", "run"))
    return path, lambda: figure_bytes(run_figure_of(trace, name, digest), format_)


def _of_sweep(
    sweep: str, format_: str, axis: str, measure: str | None
) -> tuple[Path, Callable[[], bytes]]:
    """Return a sweep's directory, and what makes the file."""
    from cluster.figures.curves import curves_of
    from cluster.figures.library import figure_bytes
    from cluster.figures.panels import sweep_figure
    from cluster.figures.sweep_page import make_sweep_page
    from cluster.sweep.differences import sweep_sample

    directory, sample = sweep_sample(sweep)
    measures = [name.strip() for name in measure.split(",")] if measure is not None else []
    curves = curves_of(sample, axis, measures)
    manifest = directory.manifest
    if format_ == _HTML:
        return directory.path, lambda: make_sweep_page(manifest, sample, curves).encode(
            "utf-8", "replace"
        )
    name = str(manifest.get("name", "sweep"))
    return directory.path, lambda: figure_bytes(sweep_figure(name, curves), format_)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
