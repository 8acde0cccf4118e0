"""``smplab accuracy``: how far synchronisation schemes are from ``exact``, and how fast."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster.cli.options import (
    AddressOption,
    ConfigArgument,
    CsvOption,
    JobsOption,
    JsonOption,
    SetOption,
    json_or_csv,
)
from cluster.exit_codes import BROKEN, FAILED, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.config.experiment import Experiment

_SCHEMES: Final = "exact,barrier:10us,barrier:100us,redblack:100us,slack:1ms,lax"
_PLOTS: Final = (".svg", ".html")


def accuracy(
    config: ConfigArgument,
    schemes: Annotated[
        str,
        typer.Option(metavar="LIST", help="Schemes, as in barrier:10us (its quantum)."),
    ] = _SCHEMES,
    cpus: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Numbers of CPUs, as in 4,16,64; default: the config's."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Runs of each, each with a seed; medians are told.")
    ] = 1,
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw errors against speed: FILE.svg or FILE.html."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local or ray: where all schemes but exact run.")
    ] = "local",
    address: AddressOption = None,
    settings: SetOption = None,
) -> int:
    """Run a configuration under several schemes, and tell by how much they differ from exact.

    Errors are signed, in per cent. Speed is that of the host: how often exact's time it took. With
    more --jobs than the host has idle cores it says little; the rest is the same with any.
    """
    from cluster.catalogue import config_path
    from cluster.cli.common import checked_machine, overrides
    from cluster.cli.writing import check_writable, refuse, write
    from cluster.config.accuracy import read_comparison
    from cluster.report.accuracy import accuracy_csv, accuracy_json, accuracy_lines, rows_of
    from cluster.report.tradeoff import print_tradeoff, tradeoff_html, tradeoff_svg

    json_or_csv(as_json, as_csv)
    if plot is not None and plot.suffix not in _PLOTS:
        raise CliError(USAGE, "usage", f"--plot: must end in {' or '.join(_PLOTS)} (got {plot})")
    if engine == "ray" and jobs > 1:
        raise CliError(USAGE, "usage", "--jobs: runs on Ray are made one at a time")
    if address is not None and engine != "ray":
        raise CliError(USAGE, "usage", "--address is for --engine ray")
    path = config_path(config)
    flags = overrides(settings, ray__address=address)
    found = read_comparison(path, schemes, cpus, seeds, flags, engine)
    for point in found.points:
        checked_machine(point.load())
    check_writable(plot=plot)
    results = _run_all(found, jobs)
    rows = rows_of(found, results)
    if as_json:
        print(accuracy_json(found, results, rows))
    elif as_csv:
        print(accuracy_csv(found, results), end="")
    else:
        for line in accuracy_lines(found, results, rows):
            print(line)
        print_tradeoff(rows)
    if plot is not None:
        draw = tradeoff_svg if plot.suffix == ".svg" else tradeoff_html
        refuse(write("plot", plot, draw(found.name, rows)))
    return FAILED if any(result["error"] for result in results) else OK


def _run_all(experiment: "Experiment", jobs: int) -> list[dict[str, Any]]:
    """Run all points and return their results; those on Ray on one that is started or joined once.

    Raises:
        CliError: Ray cannot be had.
    """
    from cluster.ray_session import RaySession, RayUnreachable
    from cluster.sweep.drive import run_points
    from cluster.sweep.measure import Result
    from kernel.trace.printable import printable_line

    number = len(experiment.points)

    def done(result: Result) -> None:
        if sys.stderr.isatty():
            point = experiment.points[result["index"]]
            text = f"{result['index'] + 1} of {number}: {' '.join(point.labels)} seed {point.seed}"
            print(printable_line(text), file=sys.stderr)

    configs = [point.load().config for point in experiment.points]
    on_ray = [config for config in configs if config.engine == "ray"]
    if not on_ray:
        return run_points(experiment, jobs, done, timed=True)
    try:
        with RaySession(on_ray[0].ray.address, max(config.machine.cpus for config in on_ray) + 1):
            return run_points(experiment, 1, done, timed=True)
    except RayUnreachable as error:
        raise CliError(BROKEN, "run broke", str(error)) from None


def register(app: typer.Typer) -> None:
    """Add the command ``accuracy`` to ``app``."""
    app.command()(accuracy)
