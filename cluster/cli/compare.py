"""``smplab compare``: differences of runs, sweeps or points of sweeps, with intervals."""

from typing import Annotated

import typer

from cluster.cli.compare_host import REPEAT, HostOptions, compare_host
from cluster.cli.options import CostsOption, CsvOption, JsonOption, SetOption, json_or_csv
from cluster.exit_codes import OK, USAGE, CliError


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="A B… | PRESET",
            help="Run directories, sweeps, or SWEEP:AXIS=VALUE,… for some points; with --host a "
            "preset.",
        ),
    ],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="AXIS", help="Of one sweep: compare the values of this axis."),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Measures, as in virtual,summary.peaks.tasks."),
    ] = None,
    host: Annotated[
        bool,
        typer.Option("--host", help="A preset emulated, natively, and as the real tool."),
    ] = False,
    repeat: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help=f"--host: runs on the host; {REPEAT} if not given."),
    ] = None,
    cpus: Annotated[
        int | None, typer.Option(min=1, max=1024, help="--host: CPUs of all sides; else all here.")
    ] = None,
    costs: CostsOption = None,
    timeout: Annotated[
        float | None, typer.Option(min=1, max=86_400, help="--host: seconds of a run; else 300.")
    ] = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> int:
    """Print how runs or points differ from the first, with 95 % intervals over the seeds.

    Runs that differ in their seed alone are one sample. Where both sides have the same seeds the
    interval is that of a paired t-test, else that of Welch's. With --host: what a preset says of
    itself emulated, natively and as the real tool, with intervals of ranks over the host's runs.
    Exit codes: 0, 2 wrong input, 3 a run on the host broke.
    """
    from cluster.rundir import RunDirError
    from cluster.sweep.difference_lines import comparison_csv, comparison_json, comparison_lines
    from cluster.sweep.differences import (
        CompareError,
        check_directories,
        read_samples,
    )
    from cluster.sweep.differences import compare as compared
    from cluster.sweep.directory import SweepDirError

    json_or_csv(as_json, as_csv)
    options = HostOptions(costs, cpus, repeat, timeout, settings)
    if host:
        if by is not None or measure is not None:
            raise CliError(USAGE, "usage", "--by and --measure are not for --host")
        return compare_host(runs, options, as_json, as_csv)
    if options.given():
        raise CliError(USAGE, "usage", f"{', '.join(options.given())}: only with --host")
    measures = [name.strip() for name in measure.split(",")] if measure is not None else []
    try:
        check_directories(runs)
        found = compared(read_samples(runs, by, measures), measures)
    except (CompareError, RunDirError, SweepDirError) as error:
        raise CliError(USAGE, "compare", str(error)) from None
    if as_json:
        print(comparison_json(found))
    elif as_csv:
        print(comparison_csv(found), end="")
    else:
        for line in comparison_lines(found):
            print(line)
    return OK


def register(app: typer.Typer) -> None:
    """Add the command ``compare`` to ``app``."""
    app.command()(compare)
