"""``smplab run``: one configuration to its end, with a run directory, a table and a digest."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cluster.cli.completion import complete_config
from cluster.cli.interrupts import interruption, was_interrupted
from cluster.engine_api import INVARIANT as INVARIANT_KIND
from cluster.engine_api import kernel_failure
from cluster.exit_codes import (
    BROKEN,
    MUTATION,
    MUTATION_KIND,
    OF_EXIT_KIND,
    USAGE,
    CliError,
    report,
)

_LONGEST_LINE: Final = 4096
_MOST_WRITES: Final = 10_000  # that are looked at for the first lines of output

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.engine_api import RunRequest, RunResult
    from cluster.rundir import RunDir


def run(
    config: Annotated[
        Path,
        typer.Argument(
            help="A YAML or JSON file, or a shipped one's name.",
            metavar="CONFIG",
            autocompletion=complete_config,
        ),
    ],
    engine: Annotated[
        str | None, typer.Option(help="local or ray, instead of the config's.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster: local (start one), auto, HOST:PORT.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key; may be repeated."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder that gets the run directory.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check all invariants while running, too.")
    ] = False,
    log_format: Annotated[
        str, typer.Option(help="Log lines on stderr: console (with -v), json.")
    ] = "console",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log lines on stderr, too.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only errors and the digest.")
    ] = False,
) -> int:
    """Run a configuration to its end.

    Progress goes to stderr; the summary and a digest to stdout, and into a run directory.
    """
    from cluster.build import resolve, shown_programs
    from cluster.catalogue import config_path
    from cluster.cli.common import check_programs, overrides
    from cluster.config import load_config
    from cluster.logging_setup import FORMATS

    if log_format not in FORMATS:
        raise CliError(USAGE, "usage", f"--log-format: must be one of {', '.join(FORMATS)}")
    flags = overrides(
        settings, engine=engine, ray__address=address, out=out, check=True if check else None
    )
    loaded = load_config(config_path(config), flags)
    if address is not None and loaded.config.engine != "ray":
        raise CliError(USAGE, "usage", "--address is for --engine ray")
    spec = resolve(loaded)
    check_programs(spec, shown_programs(loaded))
    told = (verbose or log_format == "json") and not quiet
    level = "info" if told else "warning"
    return _run(loaded, make_request(loaded, spec), log_format, level, quiet)


def make_request(loaded: "Loaded", spec: Any) -> "RunRequest":
    from cluster.engine_api import RunRequest

    config = loaded.config
    graph, per_actor = config.ray.compiled_graph, config.ray.cpus_per_actor
    return RunRequest(
        spec=spec,
        engine=config.engine,
        scheme=config.taken_scheme,
        quantum_ns=config.sync.quantum,
        address=config.ray.address,
        cpus_per_actor=per_actor if isinstance(per_actor, int) else None,
        compiled_graph=graph if isinstance(graph, str) else str(graph).lower(),
        max_virtual_ns=config.limits.virtual_time,
        max_wall_s=config.limits.wall_time / 1e9 if config.limits.wall_time else None,
    )


def _run(loaded: "Loaded", request: "RunRequest", log_format: str, level: str, quiet: bool) -> int:
    from cluster.cli.common import console_outputs, discard_stdout, outcome
    from cluster.engine import run_machine
    from cluster.logging_setup import get_logger, setup_logging
    from cluster.progress import RunProgress
    from cluster.rundir import RunDir

    config = loaded.config
    try:
        directory = RunDir.create(Path(config.out), config.name)
    except OSError as error:
        raise CliError(USAGE, "usage", f"out: {config.out}: {error.strerror}") from None
    setup_logging(log_format, directory.path.name, level=level)
    log = get_logger()
    with abandoned_on_failure(directory, mutated=bool(request.spec.mutations)):
        directory.start(name=config.name, config=resolved(loaded), seed=config.seed)
        request.out_dir = directory.path
        log.info(
            "run started", engine=request.engine, cpus=request.spec.cpus, scheme=request.scheme
        )
        if quiet:
            result = run_machine(request)
        else:
            with RunProgress() as progress:
                request.on_progress = progress
                result = run_machine(request)
        code, kind, message = outcome(
            result, config.expect.exit_status, mutated=bool(request.spec.mutations)
        )
        record(directory, result, code, message)
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


@contextmanager
def abandoned_on_failure(directory: "RunDir | None", *, mutated: bool) -> Iterator[None]:
    """Finish the manifest of a run that an exception ends, and let the exception go on.

    Args:
        directory: of the run; None: it has none.
        mutated: the kernel has mutations; its failures are then what these were to show.

    Raises:
        CliError: the exception was one of the emulated kernel, see ``_kernel_failure``.
    """
    try:
        yield
    except KeyboardInterrupt:
        _abandon(directory, "interrupted", *interruption())
        raise
    except Exception as error:
        if was_interrupted():
            _abandon(directory, "interrupted", *interruption())
            raise
        failed = _kernel_failure(error, mutated)
        code = BROKEN if failed is None else failed.code
        _abandon(directory, "broken", code, f"{type(error).__name__}: {error}")
        if failed is None or os.environ.get("SMPLAB_TRACEBACK") == "1":
            raise
        raise failed from error


def _abandon(directory: "RunDir | None", kind: str, code: int, message: str) -> None:
    if directory is None or directory.discard_unstarted():
        return
    directory.finish(exit_kind=kind, exit_code=code, message=message, complete=False)


def _kernel_failure(error: Exception, mutated: bool) -> CliError | None:
    """Return the failure that an exception stands for which the emulated kernel raised."""
    told = None if isinstance(error, CliError) else kernel_failure(error, mutated)
    if told is None:
        return None
    if mutated:
        return CliError(MUTATION, MUTATION_KIND, told)
    return CliError(*OF_EXIT_KIND[INVARIANT_KIND], told)


def record(directory: "RunDir", result: "RunResult", code: int, message: str) -> None:
    """Write what a run found into its directory, where trace and outputs already are."""
    from cluster.cli.common import is_complete
    from kernel.process.acct import OUTPUTS as ACCT_OUTPUTS

    if result.summary:  # before anything else: whoever kills us now has lost nothing of the run
        directory.write_summary(result.summary, result.digest)
    records, exact = (result.outputs.pop(name, None) for name in ACCT_OUTPUTS)
    if records is not None:
        directory.write_acct(records, exact or b"")
    directory.finish(
        exit_kind=result.exit_kind, exit_code=code, message=message, complete=is_complete(result)
    )


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


def resolved(loaded: "Loaded") -> dict[str, Any]:
    """Return the configuration as it was understood, every default filled in, as JSON data."""
    data: dict[str, Any] = loaded.config.model_dump(mode="json")
    data["sync"]["scheme"] = loaded.config.taken_scheme
    return data


def register(app: typer.Typer) -> None:
    """Add the command ``run`` to ``app``."""
    app.command()(run)
