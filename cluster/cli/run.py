"""``smplab run``: one configuration to its end, with a run directory, a table and a digest."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cluster.cli.keeping import abandoned_on_failure, begun, record
from cluster.cli.options import (
    AddressOption,
    ConfigArgument,
    LinkOption,
    LogFormatOption,
    OutOption,
    PackOption,
    QuantumOption,
    QuietOption,
    SchemeOption,
    SetOption,
    SlackOption,
    VerboseOption,
)
from cluster.exit_codes import BROKEN, USAGE, CliError, report

_LONGEST_LINE: Final = 4096
_MOST_WRITES: Final = 10_000  # that are looked at for the first lines of output

if TYPE_CHECKING:
    from collections.abc import Callable

    from cluster.config import Loaded
    from cluster.config.load import Override
    from cluster.engine_api import RunRequest, RunResult
    from cluster.rundir import RunDir
    from kernel.machine import MachineSpec

    Machine = Callable[[RunRequest], RunResult]

Shown = tuple[str, str, bool]  # format and least level of log lines; whether nothing else is shown


def run(
    config: ConfigArgument,
    engine: Annotated[
        str | None, typer.Option(help="local or ray, instead of the config's.")
    ] = None,
    address: AddressOption = None,
    link: LinkOption = None,
    settings: SetOption = None,
    out: OutOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check all invariants while running, too.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="Memory model, instead of machine.memory_model.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="order: write RUN/order.log, for smplab replay.")
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Host time between two checkpoints; off: none."),
    ] = None,
    log_format: LogFormatOption = "console",
    verbose: VerboseOption = False,
    scheme: SchemeOption = None,
    quantum: QuantumOption = None,
    slack: SlackOption = None,
    cpus_per_actor: PackOption = None,
    quiet: QuietOption = False,
) -> int:
    """Run a configuration to its end.

    Progress goes to stderr; the summary and a digest to stdout, and into a run directory.
    """
    from cluster.cli.common import overrides
    from cluster.request import request_of

    shown = log_format, log_level(log_format, verbose, quiet), quiet
    flags = overrides(
        settings,
        engine=engine,
        ray__address=address,
        ray__link=link,
        out=out,
        check=True if check else None,
        record=record,
        machine__memory_model=model,
        ray__cpus_per_actor=cpus_per_actor,
        sync__scheme=scheme,
        sync__quantum=quantum,
        sync__slack=slack,
    )
    loaded, spec = _look_at(config, flags + _checkpoint_flag(checkpoint))
    ray_only = ("--address", address), ("--link", link), ("--cpus-per-actor", cpus_per_actor)
    for flag, given in ray_only:
        if given is not None and loaded.config.engine != "ray":
            raise CliError(USAGE, "usage", f"{flag} is for --engine ray")
    return _run(loaded, request_of(loaded, spec), shown)


def _checkpoint_flag(given: str | None) -> "list[Override]":
    """Return what ``--checkpoint`` stands for: a time, or off."""
    if given is None:
        return []
    key = "enabled=false" if given == "off" else f"every={given}"
    return [(f"--checkpoint {given}", f"checkpoint.{key}")]


def _look_at(config: Path, flags: "list[Override]") -> "tuple[Loaded, MachineSpec]":
    """Return a configuration and its machine; refuse files that are for other commands."""
    from cluster.catalogue import config_path
    from cluster.cli.common import checked_machine
    from cluster.config import ConfigError, Problem, look_at_config
    from cluster.config.experiment import is_experiment
    from cluster.race.shipped import is_scenario

    path = config_path(config)
    try:
        loaded = look_at_config(path, flags)
        return loaded, checked_machine(loaded)
    except ConfigError:
        if is_experiment(path):
            what = "an experiment: smplab sweep runs it"
        elif is_scenario(path):
            what = "a scenario of races: smplab race run runs it"
        else:
            raise
        raise ConfigError([Problem(str(config), 0, 0, "", what)]) from None


def log_level(log_format: str, verbose: bool, quiet: bool) -> str:
    """Return the least level of log lines that are shown.

    Raises:
        CliError: there is no such format.
    """
    from cluster.logging_setup import FORMATS

    if log_format not in FORMATS:
        raise CliError(USAGE, "usage", f"--log-format: must be one of {', '.join(FORMATS)}")
    return "info" if (verbose or log_format == "json") and not quiet else "warning"


def _run(loaded: "Loaded", request: "RunRequest", shown: Shown) -> int:
    with begun(loaded, request) as directory:
        return drive(
            directory,
            request,
            loaded.config.expect.exit_status,
            shown,
            lambda machine: machine(request),
        )


def drive(
    directory: "RunDir",
    request: "RunRequest",
    expected: int | str,
    shown: Shown,
    run: "Callable[[Machine], RunResult]",
) -> int:
    """Run a request in its directory, tell how it went, and return the exit code.

    Args:
        directory: has its manifest.
        request: for this directory.
        expected: exit status that the programs must have.
        shown: format and level of log lines, and whether nothing else is shown.
        run: gets what runs a request, and calls it.
    """
    from cluster.build import expected_lifecycles
    from cluster.cli.common import console_outputs, discard_stdout, outcome
    from cluster.engine import run_machine
    from cluster.logging_setup import get_logger, setup_logging
    from cluster.progress import RunProgress

    log_format, level, quiet = shown
    setup_logging(log_format, directory.path.name, level=level)
    log = get_logger()
    with abandoned_on_failure(directory, request.spec, request.scheme):
        log.info(
            "run started", engine=request.engine, cpus=request.spec.cpus, scheme=request.scheme
        )
        if quiet:
            result = run(run_machine)
        else:
            known = expected_lifecycles(request.spec), request.max_virtual_ns
            with RunProgress(total=known[0], until_ns=known[1]) as progress:
                request.on_progress = progress
                result = run(run_machine)
        code, kind, message = outcome(result, expected, mutated=bool(request.spec.mutations))
        code, kind, message = record(directory, result, code, kind, message)
    log.info("run ended", exit_kind=result.exit_kind, directory=str(directory.path))
    try:
        _tell(directory, result, quiet)
    except OSError as error:
        discard_stdout()
        report("i/o error", f"{error.filename or 'standard output'}: {error.strerror}")
        code = code or BROKEN
    if kind:
        report(kind, message)
        _show_errors(console_outputs(result))
    return code


def _tell(directory: "RunDir", result: "RunResult", quiet: bool) -> None:
    """Print the table and the digest. That of a run that is not complete says nothing."""
    from cluster.cli.common import discard_stdout, is_complete, shown_digest
    from cluster.report.table import print_summary
    from kernel.trace.printable import printable_line

    complete = is_complete(result)
    digest = shown_digest(result.exit_kind, result.digest)
    try:
        if quiet:
            if digest:
                print(f"digest {digest}")
        elif result.summary:
            print(printable_line(f"run directory {directory.path}") + "\n")
            _tell_outputs(directory)
            print_summary(result.summary, digest, complete=complete)
        else:
            print(printable_line(f"run directory {directory.path}"))
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads it: the exit code still tells how it went
        discard_stdout()


def _tell_outputs(directory: "RunDir", lines: int = 8, of_one: int = 3) -> None:
    """Print the first lines that programs wrote to standard output; the rest is in its file.

    Args:
        lines: at most so many.
        of_one: at most so many of one program.
    """
    from kernel.trace.printable import printable_line

    shown, more = first_lines(directory, lines, of_one)
    if not shown:
        return
    width = shutil.get_terminal_size((80, 24)).columns
    print("Output")
    for line in shown:
        print(line if len(line) <= width else line[: width - 1] + "…")
    print(f"… (all of it: smplab output {printable_line(str(directory.path))})\n" if more else "")


def first_lines(directory: "RunDir", lines: int, of_one: int) -> tuple[list[str], bool]:
    """Return the first whole lines that programs wrote to standard output, and if there are more.

    They stand behind their label, in the order in which they were written, escaped.
    """
    from kernel.trace.printable import printable_line

    found: list[str] = []
    counts: dict[str, int] = {}
    rest: dict[str, bytes] = {}
    more = False
    with directory.outputs() as reader:
        for number, piece in enumerate(reader.pieces()):
            if number >= _MOST_WRITES:
                return found, True
            if piece.stream != "stdout":
                continue
            before = counts.get(piece.label, 0)
            if before >= of_one:
                more = True
                continue
            data = rest.get(piece.label, b"") + piece.data[:_LONGEST_LINE]
            *whole, rest[piece.label] = data.split(b"\n")
            for line in whole:
                if counts.get(piece.label, 0) >= of_one or len(found) >= lines:
                    more = True
                    break
                counts[piece.label] = counts.get(piece.label, 0) + 1
                text = line.decode("utf-8", "backslashreplace")
                found.append(printable_line(f"{piece.label}: {text}"))
            if len(found) >= lines:
                return found, True
        for label, data in rest.items():
            if data and counts.get(label, 0) < of_one and len(found) < lines:
                text = data.decode("utf-8", "backslashreplace")
                found.append(printable_line(f"{label}: {text}"))
    return found, more


def _show_errors(outputs: dict[str, tuple[bytes, bytes]], lines: int = 10) -> None:
    """Show the last lines that programs wrote to stderr: there it says what went wrong."""
    from kernel.trace.printable import printable_line

    for label, (_, err) in outputs.items():
        for line in _last_lines(err, lines):
            print(printable_line(f"{label}: {line}"), file=sys.stderr)
            lines -= 1
        if lines <= 0:
            return


def _last_lines(data: bytes, lines: int) -> list[str]:
    if not data:
        return []
    return data.decode("utf-8", "backslashreplace").removesuffix("\n").split("\n")[-lines:]


def register(app: typer.Typer) -> None:
    """Add the command ``run`` to ``app``."""
    app.command()(run)
