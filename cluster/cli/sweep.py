"""``smplab sweep``: the points of an experiment, measured and compared."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.completion import complete_config
from cluster.cli.options import CsvOption, JobsOption, JsonOption
from cluster.exit_codes import FAILED, OK, USAGE, CliError


def sweep(
    experiment: Annotated[
        Path,
        typer.Argument(
            help="An experiment file, or a shipped one's name.",
            metavar="EXPERIMENT",
            autocompletion=complete_config,
        ),
    ],
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> int:
    """Run a configuration with each combination of the values that an experiment names.

    Prints a row of measures for each, in their order, whatever --jobs is.
    """
    from cluster.catalogue import config_path
    from cluster.cli.common import checked_machine
    from cluster.config.experiment import read_experiment
    from cluster.report.sweep import sweep_csv, sweep_json, sweep_lines
    from cluster.sweep import Result, run_points
    from kernel.trace.printable import printable_line

    if as_json and as_csv:
        raise CliError(USAGE, "usage", "--json and --csv: choose one")
    found = read_experiment(config_path(experiment))
    for point in found.points:
        checked_machine(point.load())
    number = len(found.points)

    def done(result: Result) -> None:
        if sys.stderr.isatty():
            name = " ".join(found.points[result["index"]].labels)
            text = f"{result['index'] + 1} of {number}: {name}"
            print(printable_line(text), file=sys.stderr)

    results = run_points(found, jobs, done)
    if as_json:
        print(sweep_json(found, results))
    elif as_csv:
        print(sweep_csv(found, results), end="")
    else:
        for line in sweep_lines(found, results):
            print(line)
    return FAILED if any(result["error"] for result in results) else OK


def register(app: typer.Typer) -> None:
    """Add the command ``sweep`` to ``app``."""
    app.command()(sweep)
