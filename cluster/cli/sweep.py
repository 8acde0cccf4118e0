"""``smplab sweep``: the points of an experiment, measured and compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster.cli.completion import complete_config
from cluster.cli.options import AddressOption, CsvOption, JsonOption, OutOption, json_or_csv
from cluster.exit_codes import BROKEN, FAILED, OK, TRY_AGAIN, USAGE, CliError, report

if TYPE_CHECKING:
    from cluster.config.experiment import Experiment
    from cluster.progress import SweepProgress
    from cluster.sweep.directory import SweepDir
    from cluster.sweep.measure import Result
    from cluster.sweep.workers import Workers

_TABLES: Final = ("parquet", "csv")


def sweep(
    experiment: Annotated[
        Path,
        typer.Argument(
            help="An experiment file, or a shipped one's name.",
            metavar="EXPERIMENT",
            autocompletion=complete_config,
        ),
    ],
    jobs: Annotated[
        int | None,
        typer.Option(
            "-j", "--jobs", min=1, max=1024, help="Points at a time; 1, with Ray one per core."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local, processes of this host, or ray, tasks of Ray.")
    ] = "local",
    address: AddressOption = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="SWEEP", help="Go on with a sweep: its directory, or latest; runs what misses."
        ),
    ] = None,
    out: OutOption = None,
    table: Annotated[
        str, typer.Option(metavar="KIND", help="File of all results: parquet or csv.")
    ] = "parquet",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> int:
    """Run a configuration with each combination of the values that an experiment names.

    Prints a row of measures for each, in their order, and keeps them as a table in runs/: the same
    bytes for any number of processes or hosts. Exit codes: 1 points failed (the others are kept),
    2 wrong input, 3 workers or Ray lost, 75 a file cannot be written or another process writes the
    sweep, 130 Ctrl-C; after the last three --resume goes on.
    """
    from cluster.catalogue import config_path

    json_or_csv(as_json, as_csv)
    if resume is not None and out is not None:
        raise CliError(USAGE, "usage", "--out: a sweep that is gone on with has its directory")
    if table not in _TABLES:
        raise CliError(USAGE, "usage", f"--table: must be parquet or csv (got {table!r})")
    if engine not in ("local", "ray"):
        raise CliError(USAGE, "usage", f"--engine: must be local or ray (got {engine!r})")
    if address is not None and engine != "ray":
        raise CliError(USAGE, "usage", "--address is for --engine ray")
    _check_arrow(table)
    found, digests = _checked(config_path(experiment))
    with _opened(found, digests, resume, out) as directory:
        results = _run(found, directory, jobs, engine, address)
        _keep(found, directory, results, table)
    _print(found, results, as_json=as_json, as_csv=as_csv)
    return FAILED if any(result["error"] for result in results) else OK


def _check_arrow(table: str) -> None:
    from cluster.arrow import HOW, NoArrow, arrow
    from cluster.sweep.table import PARQUET

    if table == "parquet":
        try:
            arrow()
        except NoArrow:
            what = f"{PARQUET} needs pyarrow: {HOW} (or --table csv)"
            raise CliError(USAGE, "usage", what) from None


def _checked(path: Path) -> "tuple[Experiment, list[str]]":
    """As ``checked_experiment``; who stops it is told that nothing had begun."""
    from cluster.cli.interrupts import interruption

    try:
        return checked_experiment(path)
    except KeyboardInterrupt:
        code, message = interruption()
        raise CliError(code, "interrupted", f"{message}; nothing had begun") from None


def checked_experiment(path: Path) -> "tuple[Experiment, list[str]]":
    """Return a checked experiment, and the digest of what each point runs.

    Raises:
        ConfigError, CliError: what is wrong with it, its base, a point or a program.
    """
    from cluster.cli.common import checked_machine
    from cluster.config.errors import ConfigError
    from cluster.config.experiment import read_experiment
    from cluster.progress import CheckProgress
    from cluster.sweep.measure import digest_of, request_for

    digests: list[str] = []
    refused: list[CliError] = []
    programs: dict[str, None] = {}

    def look(loaded: Any) -> None:
        try:
            request = request_for(loaded, checked_machine(loaded))
        except ConfigError as error:
            programs.update(dict.fromkeys(error.programs))
            raise
        except CliError as error:
            refused.append(error)
        else:
            digests.append(digest_of(request, loaded.config.expect.exit_status))

    try:
        with CheckProgress() as progress:
            found = read_experiment(path, look, progress)
    except ConfigError as error:
        raise ConfigError(error.problems, tuple(programs)) from None
    if refused:
        raise refused[0]
    return found, digests


@contextmanager
def _opened(
    experiment: "Experiment", digests: list[str], resume: Path | None, out: str | None
) -> "Iterator[SweepDir]":
    """Make the directory of the sweep, or open the one that is gone on with; nobody else writes it.

    Raises:
        CliError: it cannot be had.
    """
    from cluster.run_lock import RunInUse, RunLock
    from cluster.rundir import DEFAULT_BASE
    from cluster.sweep.directory import SweepDir, SweepDirError, sweep_path

    try:
        if resume is None:
            directory = SweepDir.create(Path(out or DEFAULT_BASE), experiment, digests)
        else:
            directory = SweepDir.open(sweep_path(resume))
            directory.check(experiment, digests)
        lock = RunLock(directory.path)
    except SweepDirError as error:
        raise CliError(USAGE, "no sweep", str(error)) from None
    except RunInUse as error:
        raise CliError(TRY_AGAIN, "run in use", str(error)) from None
    except OSError as error:
        raise CliError(TRY_AGAIN, "cannot write", f"{error.filename}: {error.strerror}") from None
    with lock:
        yield directory


def _run(
    experiment: "Experiment",
    directory: "SweepDir",
    jobs: int | None,
    engine: str,
    address: str | None,
) -> "list[Result]":
    """Run what is left to run; return all results.

    Raises:
        CliError: the sweep was cut short; says how to go on.
    """
    from cluster.cli.interrupts import interruption
    from cluster.progress import SweepProgress
    from cluster.sweep.directory import SweepDirError
    from cluster.sweep.drive import sweep_into
    from cluster.sweep.workers import WorkersLost

    try:
        there = directory.results()
        number = len(experiment.points)
        if there:
            report("sweep", f"{len(there)} of {number} points are there")
        with SweepProgress(number, len(there)) as progress:
            workers = _workers(jobs, engine, address, number - len(there), directory, progress)
            return sweep_into(
                directory,
                experiment,
                workers,
                there,
                lambda result: progress(bool(result["error"])),
            )
    except SweepDirError as error:
        raise CliError(USAGE, "no sweep", str(error)) from None
    except KeyboardInterrupt:
        code, message = interruption()
        raise CliError(code, "interrupted", _how_on(message, directory)) from None
    except WorkersLost as error:
        raise CliError(BROKEN, "workers lost", _how_on(str(error), directory)) from None
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise CliError(TRY_AGAIN, "cannot write", _how_on(what, directory)) from None


def _how_on(message: str, directory: "SweepDir") -> str:
    return f"{message}; --resume {directory.path} goes on"


def _workers(
    jobs: int | None,
    engine: str,
    address: str | None,
    left: int,
    directory: "SweepDir",
    progress: "SweepProgress",
) -> "Workers":
    from cluster.sweep.drive import workers_of
    from kernel.trace.printable import printable_line

    def told(message: str) -> None:
        progress.tell(printable_line(f"smplab: sweep: {message}"))

    if engine == "ray" and left:
        from cluster.sweep.ray_workers import OnRay

        return OnRay(address or "local", jobs, told)
    return workers_of(min(jobs or 1, max(left, 1)), told, directory.work)


def _keep(
    experiment: "Experiment", directory: "SweepDir", results: "list[Result]", table: str
) -> None:
    """Write the table of all results, and note that the sweep is complete.

    Raises:
        CliError: it cannot be written.
    """
    from cluster.sweep.table import CSV, PARQUET, columns, csv_bytes, parquet_bytes

    labels = [point.labels for point in experiment.points]
    made = columns(experiment.axes, experiment.measure, labels, results)
    try:
        if table == "csv":
            path = directory.write_table(CSV, csv_bytes(made))
        else:
            path = directory.write_table(PARQUET, parquet_bytes(made, experiment.measure))
        directory.finish(sum(1 for result in results if result["error"]))
    except OSError as error:
        what = f"{error.filename}: {error.strerror}"
        raise CliError(TRY_AGAIN, "cannot write", _how_on(what, directory)) from None
    report("sweep", f"all results: {path}")


def _print(
    experiment: "Experiment", results: "list[Result]", *, as_json: bool, as_csv: bool
) -> None:
    from cluster.report.sweep import sweep_csv, sweep_json, sweep_lines

    if as_json:
        print(sweep_json(experiment, results))
    elif as_csv:
        print(sweep_csv(experiment, results), end="")
    else:
        for line in sweep_lines(experiment, results):
            print(line)


def register(app: typer.Typer) -> None:
    """Add the command ``sweep`` to ``app``."""
    app.command()(sweep)
